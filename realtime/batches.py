"""Group commit: calls that arrive while a transaction runs share the next one.

No call waits when the server is idle, and a busy server does one commit for many calls. Who calls
much does not push others back: a batch takes one call of each caller after another.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import structlog

from core.errors import ChatError, InternalError
from core.transactions import Contended
from realtime.router import Call, Outcome
from realtime.threads import DatabaseThreads

logger = structlog.get_logger(__name__)

MAX_BATCH = 256

MAX_OF_A_CROWD = 16
"""Calls of one crowd in a batch; see `Route.crowd`. More make little cheaper, but all others late."""

CONTENDED_SECONDS = 5
"""How long a call may try to get its locks: then the client is told `unavailable`, as within 5 s of any outage."""

IMPATIENT_SECONDS = 2
"""Since a lock was last found taken; then batches wait for locks again."""

_PAUSE_SECONDS = 0.02


class Handler(Protocol):
    """A batched handler; see `Route`."""

    def __call__(self, calls: list[Call], *, wait: bool) -> Sequence[Outcome]: ...


@dataclass(eq=False)
class _Waiting:
    call: Call
    future: asyncio.Future[Outcome]
    deadline: float


class Batcher:
    """Feeds one batched handler, each caller's calls in order, one batch at a time.

    Waiting for a lock is the fair way to get it, and the usual one. But a process that was stopped
    in the middle of a transaction keeps its locks, and a batch that waits for them holds up everyone:
    once a wait was in vain, batches take only what is free, and who could not be served is asked again.
    """

    def __init__(
        self, handler: Handler, threads: DatabaseThreads, *, crowd: Callable[[Any], str] | None = None
    ) -> None:
        self._handler = handler
        self._crowd = crowd
        self._threads = threads
        self._waiting: dict[UUID, deque[_Waiting]] = {}
        self._contended: set[UUID] = set()  # callers who pause: the locks that they need are taken
        self._pause_ends = 0.0
        self._impatient_until = 0.0
        self._worker: asyncio.Task[None] | None = None

    def submit(self, call: Call) -> asyncio.Future[Outcome]:
        """A future of the call's outcome; it never fails, errors are outcomes."""
        loop = asyncio.get_running_loop()
        one = _Waiting(call, loop.create_future(), loop.time() + CONTENDED_SECONDS)
        self._waiting.setdefault(call.caller.user_id, deque()).append(one)
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        return one.future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if self._contended and loop.time() >= self._pause_ends:
                self._contended.clear()
            batch = list(self._take())
            if not batch:
                await asyncio.sleep(max(0, self._pause_ends - loop.time()))
                continue
            outcomes = await self._outcomes([one.call for one in batch])
            again = []
            for one, outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, Contended) and loop.time() < one.deadline:
                    again.append(one)
                elif not one.future.done():
                    one.future.set_result(outcome)
            self._put_back(again)

    def _take(self) -> Iterator[_Waiting]:
        """The next batch: of each caller in turn one call, until it is full or nothing is left.

        Whose next call is of a crowd that has its share waits for the batch after, with all that comes after it.
        """
        left = MAX_BATCH
        crowds: Counter[str] = Counter()
        turns = deque(caller for caller in self._waiting if caller not in self._contended)
        while turns and left:
            caller = turns.popleft()
            mine = self._waiting[caller]
            if self._crowd:
                crowd = self._crowd(mine[0].call.data)
                if crowds[crowd] >= MAX_OF_A_CROWD:
                    continue
                crowds[crowd] += 1
            yield mine.popleft()
            left -= 1
            if mine:
                turns.append(caller)
            else:
                del self._waiting[caller]

    def _put_back(self, batch: list[_Waiting]) -> None:
        """Before what else their callers asked for, so that it stays behind them."""
        if not batch:
            return
        now = asyncio.get_running_loop().time()
        # Later ones first, since each is put at the front.
        for one in reversed(batch):
            one.call = one.call._replace(attempt=one.call.attempt + 1)
            self._waiting.setdefault(one.call.caller.user_id, deque()).appendleft(one)
        if now < self._impatient_until:
            if not self._contended:
                self._pause_ends = now + _PAUSE_SECONDS
            self._contended.update(one.call.caller.user_id for one in batch)
        self._impatient_until = now + IMPATIENT_SECONDS

    async def _outcomes(self, calls: list[Call]) -> Sequence[Outcome]:
        wait = asyncio.get_running_loop().time() >= self._impatient_until
        try:
            return await self._threads.run(self._handler, calls, wait=wait)
        except ChatError as error:
            return [error] * len(calls)
        except Exception:
            logger.exception("batch_failed", calls=len(calls))
            if len(calls) == 1:
                return [InternalError()]
            # One call broke the batch; alone, the others go through.
            alone = [call._replace(attempt=call.attempt + 1) for call in calls]
            return [outcome for call in alone for outcome in await self._outcomes([call])]
