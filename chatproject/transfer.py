"""Bodies that are too large for memory, or too slow for a thread: what comes is spooled, files go out from the loop."""

from __future__ import annotations

import asyncio
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from accounts.tokens import read_access
from core.errors import ChatError
from core.middleware import body_limit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

MOST_IN_MEMORY = 1_048_576
"""Of one body; the rest waits on the disk."""

CHUNK_BYTES = 65_536

_FILE = "chat.file"


class Body:
    """A request's body, whole before a thread reads it, so that none waits for a slow sender.

    One that is refused unread, for its size, for none being announced, or since it is a large one of nobody's, is
    left where it is.
    """

    def __init__(self, scope: dict[str, Any], receive: Receive) -> None:
        self._receive = receive
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        readable = len(length) <= 18 and length.isdigit() and int(length) <= body_limit(scope["path"])
        if readable and int(length) > MOST_IN_MEMORY:
            readable = _has_token(headers)
        self._left = int(length) if readable else None
        self._spool = SpooledTemporaryFile(max_size=MOST_IN_MEMORY)  # noqa: SIM115 - closed by `close`

    async def arrive(self) -> bool:
        """Take it in; False if the sender has gone."""
        more = bool(self._left)
        size = 0
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return False
            part, more = message["body"], message["more_body"]
            size += len(part)
            if size > MOST_IN_MEMORY:
                # A disk may be slow, and the loop has others to serve.
                await asyncio.to_thread(self._spool.write, part)
            else:
                self._spool.write(part)
        if self._left is not None:
            self._left = size
            self._spool.seek(0)
        return True

    async def receive(self) -> dict[str, Any]:
        """The ASGI `receive` of who reads it."""
        if self._left is None:
            return await self._receive()
        read = self._spool.read
        part = await asyncio.to_thread(read, CHUNK_BYTES) if self._left > CHUNK_BYTES else read(CHUNK_BYTES)
        self._left -= len(part)
        return {"type": "http.request", "body": part, "more_body": self._left > 0}

    def close(self) -> None:
        self._spool.close()


def _has_token(headers: dict[bytes, bytes]) -> bool:
    """Whether an access token of ours came along. Else anyone could fill our disk."""
    words = headers.get(b"authorization", b"").decode("latin-1").split()
    try:
        read_access(words[-1] if words else "")
    except ChatError:
        return False
    return True


def leaving_files(application: WSGIApplication) -> WSGIApplication:
    """The WSGI application, but for its files: by PEP 3333's `wsgi.file_wrapper` they are left to `answer`."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        def leave(file: IO[bytes], _block_size: int) -> list[bytes]:
            environ["asgi.scope"][_FILE] = file
            return []

        environ["wsgi.file_wrapper"] = leave
        return application(environ, start_response)

    return call


async def answer(http: Any, scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Let `http` answer; a file that it leaves is sent from the loop, at its reader's pace, and holds no thread."""

    async def send_all_but_the_end(message: dict[str, Any]) -> None:
        if _FILE not in scope or message["type"] != "http.response.body":
            await send(message)

    try:
        await http(scope, receive, send_all_but_the_end)
        if file := scope.get(_FILE):
            # A HEAD gets no body (RFC 9110 §9.3.2).
            while scope["method"] != "HEAD" and (chunk := await asyncio.to_thread(file.read, CHUNK_BYTES)):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
    finally:
        if file := scope.get(_FILE):
            await asyncio.to_thread(file.close)
