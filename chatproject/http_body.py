"""Bodies of requests: they wait on the disk if they are large, and for no thread if they are slow."""

from __future__ import annotations

import asyncio
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

from accounts.tokens import read_access
from core.errors import ChatError
from core.middleware import body_limit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Receive = Callable[[], Awaitable[Mapping[str, Any]]]

MOST_IN_MEMORY = 1_048_576
"""Of one body; the rest waits on the disk."""


class Body:
    """A request's body, whole before a thread reads it, so that none waits for a slow sender.

    One that is refused unread, for its size, for none being announced, or since it is a large one of nobody's, is
    left where it is, and `file` is empty.
    """

    def __init__(self, scope: dict[str, Any], receive: Receive) -> None:
        self._receive = receive
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        readable = len(length) <= 18 and length.isdigit() and int(length) <= body_limit(scope["path"])
        if readable and int(length) > MOST_IN_MEMORY:
            readable = _has_token(headers)
        self._is_wanted = readable and int(length) > 0
        self.file = SpooledTemporaryFile(max_size=MOST_IN_MEMORY)  # noqa: SIM115 - closed by `close`

    async def arrive(self) -> bool:
        """Take it in; False if the sender has gone. Then it can be read from `file`."""
        more = self._is_wanted
        size = 0
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return False
            part, more = message["body"], message["more_body"]
            size += len(part)
            if size > MOST_IN_MEMORY:
                # A disk may be slow, and the loop has others to serve.
                await asyncio.to_thread(self.file.write, part)
            else:
                self.file.write(part)
        self.file.seek(0)
        return True

    def close(self) -> None:
        self.file.close()


def _has_token(headers: dict[bytes, bytes]) -> bool:
    """Whether an access token of ours came along. Else anyone could fill our disk."""
    words = headers.get(b"authorization", b"").decode("latin-1").split()
    try:
        read_access(words[-1] if words else "")
    except ChatError:
        return False
    return True
