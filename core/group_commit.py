"""Group commit for threads: what several ask for at the same time, one of them does for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import Generic, TypeVar

from django.db import transaction

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """Calls `work` with what all threads wait for that called meanwhile.

    The first thread works at once, so nobody waits when it is alone; then the one that waited longest works
    for itself and all others that wait. If `work` fails for several, each is done alone, in its own thread.

    Args:
        work: an outcome for each item, in order; in a transaction of its own.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._work = work
        self._lock = Lock()
        self._waiting: list[_Call[T, R]] = []
        self._is_busy = False

    def __call__(self, item: T) -> R:
        """The outcome of `item`. Raises whatever `work` raises for it alone."""
        if transaction.get_connection().in_atomic_block:
            # Others' items are no part of this transaction.
            return self._alone(item)
        mine: _Call[T, R] = _Call(item)
        with self._lock:
            self._waiting.append(mine)
            waits, self._is_busy = self._is_busy, True
        if waits:
            mine.turn.wait()
        if not mine.is_done:
            self._work_for_all()
        return mine.outcomes[0] if mine.outcomes else self._alone(item)

    def _alone(self, item: T) -> R:
        return self._work([item])[0]

    def _work_for_all(self) -> None:
        with self._lock:
            calls, self._waiting = self._waiting, []
        outcomes: Sequence[R] = []
        try:
            outcomes = self._work([call.item for call in calls])
        except Exception:
            if len(calls) == 1:
                raise
        finally:
            for number, call in enumerate(calls):
                call.outcomes, call.is_done = outcomes[number : number + 1], True
                call.turn.set()
            with self._lock:
                self._is_busy = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].turn.set()


class _Call(Generic[T, R]):
    def __init__(self, item: T) -> None:
        self.item = item
        self.turn = Event()
        self.is_done = False
        self.outcomes: Sequence[R] = []
