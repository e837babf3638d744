"""Group commit: calls that arrive while a transaction runs share the next one.

No call waits when the server is idle, and a busy server does one commit for many calls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from core.errors import ChatError, InternalError
from realtime.router import Call, Outcome
from realtime.threads import DatabaseThreads

logger = structlog.get_logger(__name__)

MAX_BATCH = 256

Handler = Callable[[list[Call]], Sequence[Outcome]]


class Batcher:
    """Feeds one batched handler, in order of arrival, one batch at a time."""

    def __init__(self, handler: Handler, threads: DatabaseThreads) -> None:
        self._handler = handler
        self._threads = threads
        self._waiting: deque[tuple[Call, asyncio.Future[Outcome]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    def submit(self, call: Call) -> asyncio.Future[Outcome]:
        """A future of the call's outcome; it never fails, errors are outcomes."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.append((call, future))
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        return future

    async def _work(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
            outcomes = await self._outcomes([call for call, _ in batch])
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.done():
                    future.set_result(outcome)

    async def _outcomes(self, calls: list[Call]) -> Sequence[Outcome]:
        try:
            return await self._threads.run(self._handler, calls)
        except ChatError as error:
            return [error] * len(calls)
        except Exception:
            logger.exception("batch_failed", calls=len(calls))
            if len(calls) == 1:
                return [InternalError()]
            # One call broke the batch; alone, the others go through.
            return [outcome for call in calls for outcome in await self._outcomes([call])]
