"""The channel layer, as the hub uses it: one membership per stream and process, rings out, rings in.

Nothing that goes through here is the only copy of anything: whatever the layer does to a ring, the
log has the event.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from channels.layers import get_channel_layer

logger = structlog.get_logger(__name__)

Message = dict[str, Any]

_SECONDS = 3
_MAX_UNSENT = 10_000
_RINGS_AT_ONCE = 64


class Doorbell:
    """Sends and receives layer messages for one process.

    Args:
        hear: called with each message that arrives, one at a time.
    """

    def __init__(self, hear: Callable[[Message], Awaitable[None]]) -> None:
        self.layer: Any = get_channel_layer()
        self._hear = hear
        self.answering = True  # whether the layer did what it was asked last
        self._channel: str | None = None
        self._open = asyncio.Event()
        # While the layer is away for long the oldest rings go: their events are found by the heads.
        self._unsent: deque[tuple[str, Message]] = deque(maxlen=_MAX_UNSENT)
        self._rung = asyncio.Event()
        self._later: dict[str, asyncio.TimerHandle] = {}

    def ring(self, stream: str, message: Message) -> None:
        """Queue a message for every process that listens to `stream`."""
        self._unsent.append((stream, message))
        self._rung.set()

    def ring_later(self, key: str, seconds: float, stream: str, message: Message | None) -> None:
        """Ring in `seconds` in place of what is under `key`; None only takes that back."""
        if waiting := self._later.pop(key, None):
            waiting.cancel()
        if message is not None:
            loop = asyncio.get_running_loop()
            self._later[key] = loop.call_later(seconds, self._ring_now, key, stream, message)

    def _ring_now(self, key: str, stream: str, message: Message) -> None:
        del self._later[key]
        self.ring(stream, message)

    async def subscribe(self, stream: str) -> bool:
        """Listen to a stream; False if the layer does not take it now."""
        return await self._tried("subscribe", self._add(stream))

    async def unsubscribe(self, stream: str) -> bool:
        """Listen no more; False if the layer does not take it now, and what still comes is ignored."""
        if self._channel is None:
            return False
        return await self._tried("unsubscribe", self.layer.group_discard(_group(stream), self._channel))

    async def _add(self, stream: str) -> None:
        await self._open.wait()  # the first connection may be faster than the layer
        await self.layer.group_add(_group(stream), self._channel)

    async def send(self) -> None:
        """Send rings, for ever."""
        while True:
            await self._rung.wait()
            self._rung.clear()
            while self._unsent:
                rings = [self._unsent.popleft() for _ in range(min(len(self._unsent), _RINGS_AT_ONCE))]
                # In the order of ringing: a task begins before those that were made after it.
                await self._tried("ring", asyncio.gather(*(self._ring(*ring) for ring in rings)))

    async def _ring(self, stream: str, message: Message) -> None:
        await self.layer.group_send(_group(stream), message)

    async def listen(self) -> None:
        """Take messages, for ever. A broken one, or a lost Redis, must not deafen the process."""
        while True:
            try:
                if self._channel is None:
                    self._channel = await self.layer.new_channel()
                    self._open.set()
                await self._hear(await self.layer.receive(self._channel))
            except Exception as error:  # noqa: BLE001 - each layer has its own
                logger.warning("layer_failed", doing="listen", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _tried(self, doing: str, work: Awaitable[object]) -> bool:
        try:
            async with asyncio.timeout(_SECONDS):
                await work
        except Exception as error:  # noqa: BLE001 - each layer has its own
            logger.warning("layer_failed", doing=doing, error=type(error).__name__, unsent=len(self._unsent))
            self.answering = False
            return False
        self.answering = True
        return True


def _group(stream: str) -> str:
    """Channels' groups take no colon."""
    return stream.replace(":", ".")
