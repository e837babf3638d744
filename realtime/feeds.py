"""The streams that this process follows: opened for whom wants them, let go of when nobody does, never left deaf."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from itertools import chain
from typing import Any

import structlog
from django.conf import settings

from eventlog import log
from realtime.doorbell import Doorbell
from realtime.feed import Feed
from realtime.loader import Loader

logger = structlog.get_logger(__name__)


class Feeds(dict[str, Feed]):
    """A feed for each stream, by name, and one layer membership for each.

    Args:
        doorbell: what tells of new events.
        run: runs database work on a thread.
        make: a new feed for a stream.
    """

    def __init__(self, doorbell: Doorbell, *, run: Callable[..., Any], make: Callable[[str], Feed]) -> None:
        super().__init__()
        self._doorbell = doorbell
        self._run = run
        self._make = make
        self._openings: Loader[list[str], None] = Loader(self._open_all)
        self._changing = asyncio.Lock()

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until the hub stops."""
        return [self._look_at_heads(), self._tend()]

    async def open(self, names: list[str]) -> None:
        """Have a feed for each name: subscription first, then the head, so that nothing falls between.

        Raises: Unavailable.
        """
        # Again, if one was let go of before this got its turn: as yet it had no followers.
        while not all(name in self and self[name].is_placed for name in names):
            await self._openings.get(names)

    async def _open_all(self, asked: list[list[str]]) -> list[None]:
        names = list(dict.fromkeys(chain.from_iterable(asked)))
        async with self._changing:
            for name in names:
                if name not in self:
                    feed = self[name] = self._make(name)
                    # A layer that did not answer is not asked for each stream; the next turn mends it.
                    feed.subscribed = self._doorbell.answering and await self._doorbell.subscribe(name)
            unplaced = [name for name in names if not self[name].is_placed]
            heads = await self._run(log.heads, unplaced)
            for name in unplaced:
                self[name].begin(heads.get(name, 0))
        return [None] * len(asked)

    async def _look_at_heads(self) -> None:
        """Find what no doorbell told. Asks the database only: a layer that hangs must not hold this up."""
        while True:
            # Not all processes at once.
            await asyncio.sleep(settings.HEAD_POLL_SECONDS * random.uniform(0.75, 1))  # noqa: S311
            try:
                placed = [name for name, feed in self.items() if feed.is_placed]
                heads = await self._run(log.heads, placed)
                for name, head in heads.items():
                    if feed := self.get(name):
                        feed.look_for(head)
            except Exception as error:  # noqa: BLE001 - the next look comes
                logger.warning("look_failed", error=type(error).__name__)

    async def _tend(self) -> None:
        """Let go of streams that nobody follows, and subscribe where that failed before."""
        while True:
            await asyncio.sleep(settings.HEAD_POLL_SECONDS)
            try:
                await self.close_idle()
                for feed in [feed for feed in self.values() if not feed.subscribed]:
                    feed.subscribed = await self._doorbell.subscribe(feed.name)
                    if not feed.subscribed:
                        break  # the layer is away
            except Exception as error:  # noqa: BLE001 - the next turn comes
                logger.warning("tending_failed", error=type(error).__name__)

    async def close_idle(self) -> None:
        """Let go of those without followers."""
        async with self._changing:
            for feed in list(self.values()):
                if feed.followers:
                    continue  # looked at now: one may have come while the last feed was unsubscribed
                del self[feed.name]
                if not await self._doorbell.unsubscribe(feed.name):
                    break
