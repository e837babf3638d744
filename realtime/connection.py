"""The outgoing side of one socket: a bounded buffer and the task that empties it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.ids import new_id
from realtime.close_codes import CloseCode
from realtime.protocol import Outgoing
from realtime.router import Identity

if TYPE_CHECKING:
    from realtime.feed import Following

Send = Callable[[dict[str, Any]], Awaitable[None]]
Write = Callable[[bytes], bool]

_SECONDS_TO_CLOSE = 5


class Connection:
    """One socket of one user.

    Nothing here waits for a slow reader: frames of streams are refused when the buffer is full (the
    hub then replays them from the log, at the reader's pace), ephemera dropped when it is half full.
    A buffer that stays half full for WS_SLOW_SECONDS ends the connection with 4450.

    Args:
        send: ASGI's `send`.
        task: cancelled when the socket can't be closed politely.
        write: takes a whole WebSocket message at once, or says that the peer does not keep up. A frame that
            it takes never waits in the buffer, and costs a small part of a `send`.
    """

    def __init__(self, send: Send, task: asyncio.Task[Any] | None, write: Write | None = None) -> None:
        self.id = new_id()
        self.identity: Identity | None = None
        self.following: dict[str, Following] = {}
        self.catching_up: asyncio.Task[None] | None = None
        self.close_code: CloseCode | None = None
        self.owed = 0  # answers to requests that were taken
        self.is_finishing = False
        self._send = send
        self._task = task
        self._write = write or _never
        self._waiting: deque[Outgoing] = deque()
        self._count = self._bytes = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._stalled: asyncio.TimerHandle | None = None
        self._stopped = False

    def offer(self, frame: Outgoing) -> bool:
        """Send frames of a stream; False if there is no room for them. One that is not full takes any number."""
        # Most have nothing waiting, and this is called for each of thousands.
        if not self._waiting and self.close_code is None and self._write(frame.wire):
            return True
        if self._count >= settings.WS_BUFFER_FRAMES or self._bytes >= settings.WS_BUFFER_BYTES:
            return False
        self._queue(frame)
        return True

    def offer_ephemeral(self, frame: Outgoing) -> None:
        """Send a frame that may be lost."""
        if not self.is_half_full():
            self._send_or_queue(frame)

    def push(self, frame: str) -> None:
        """Send a frame that answers the client; how many it may owe us is bounded elsewhere."""
        self._send_or_queue(Outgoing(frame))

    def close(self, code: CloseCode) -> None:
        """Send what is queued, then close. The first code given is the one that the client gets."""
        if self.close_code is None:
            self.close_code = code
            self._wake.set()
            self._room.set()
            if self._task:
                # A peer that reads nothing never lets the close frame out either.
                asyncio.get_running_loop().call_later(_SECONDS_TO_CLOSE, self._task.cancel)

    def finish(self) -> None:
        """Take no more requests, answer those that were taken, then close with 1012."""
        self.is_finishing = True
        if not self.owed:
            self.close(CloseCode.SERVICE_RESTART)

    def settle(self) -> None:
        """One answer is owed less."""
        self.owed -= 1
        if self.is_finishing:
            self.finish()

    @property
    def is_open(self) -> bool:
        """Whether it is of use to give this connection anything more."""
        return self.close_code is None and not self._stopped

    def stop(self) -> None:
        """Forget timers; the socket is gone."""
        self._stopped = True
        if self._stalled:
            self._stalled.cancel()

    async def has_room(self) -> None:
        """Wait until less than half of the buffer is taken, or the connection is closing."""
        await self._room.wait()

    def is_half_full(self) -> bool:
        """Whether replay should wait, and ephemera be dropped."""
        return self._count * 2 >= settings.WS_BUFFER_FRAMES or self._bytes * 2 >= settings.WS_BUFFER_BYTES

    async def write(self) -> None:
        """Send frames as they come, until `close`; the task of this socket's life."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                # It stays the first one until it is out: what is queued meanwhile must not overtake it.
                frame = self._waiting[0]
                if not self._write(frame.wire):
                    for text in frame.texts:
                        await self._send({"type": "websocket.send", "text": text})
                self._waiting.popleft()
                self._count -= len(frame.texts)
                self._bytes -= len(frame.wire)
                if self._stalled and not self.is_half_full():
                    self._stalled.cancel()
                    self._stalled = None
                    self._room.set()
            if self.close_code is not None:
                await self._send_close(self.close_code)
                return

    async def _send_close(self, code: CloseCode) -> None:
        try:
            await self._send({"type": "websocket.close", "code": int(code), "reason": code.reason})
        except Exception:
            # Daphne's library keeps the codes below 3000 to itself; without any, the socket would stay open.
            if code.substitute is None:
                raise
            await self._send({"type": "websocket.close", "code": int(code.substitute)})

    def _send_or_queue(self, frame: Outgoing) -> None:
        if self._waiting or self.close_code is not None or not self._write(frame.wire):
            self._queue(frame)

    def _queue(self, frame: Outgoing) -> None:
        if self.close_code is not None:
            return
        self._waiting.append(frame)
        self._count += len(frame.texts)
        self._bytes += len(frame.wire)
        self._wake.set()
        if self._stalled is None and self.is_half_full():
            self._room.clear()
            loop = asyncio.get_running_loop()
            self._stalled = loop.call_later(settings.WS_SLOW_SECONDS, self.close, CloseCode.SLOW_CONSUMER)


def _never(wire: bytes) -> bool:
    return False
