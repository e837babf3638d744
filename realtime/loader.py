"""Many questions answered at once: those that come while the last answer is awaited share the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from core.errors import ChatError

K = TypeVar("K")
V = TypeVar("V")

MOST = 128
"""Questions answered at once; a bound on how long the loop is busy with the answers."""


class Loader(Generic[K, V]):
    """Nobody waits when nothing is under way, and a crowd costs a few statements instead of a few each.

    Args:
        load: what there is for each key, in their order: a value, or the error that its asker gets.
            What it raises goes to all of them.
    """

    def __init__(self, load: Callable[[list[K]], Awaitable[Sequence[V | ChatError]]]) -> None:
        self._load = load
        self._waiting: deque[tuple[K, asyncio.Future[V]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V:
        """What there is for `key`. Raises: its error, or what loading raised."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V] = loop.create_future()
        self._waiting.append((key, future))
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            found: Sequence[V | BaseException]
            try:
                found = await self._load([key for key, _ in batch])
            except Exception as error:  # noqa: BLE001 - it is the askers' to handle
                found = [error] * len(batch)
            for (_, future), value in zip(batch, found, strict=True):
                if future.done():
                    continue  # who asked is gone
                if isinstance(value, BaseException):
                    future.set_exception(value)
                else:
                    future.set_result(value)
