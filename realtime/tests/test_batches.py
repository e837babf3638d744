"""Group commit: who waits shares, nobody else's error is mine, nobody's turn is lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

import msgspec
import pytest
from django.db import OperationalError

from core.errors import ChatError, InternalError, NotFound, Unavailable
from core.transactions import Contended
from realtime import batches
from realtime.batches import MAX_BATCH, Batcher
from realtime.router import Call, Identity, Outcome
from realtime.threads import DatabaseThreads


class Done(msgspec.Struct):
    number: int


def call(number: int, caller: Identity | None = None) -> Call:
    return Call(caller or someone(), number)


def someone() -> Identity:
    return Identity(uuid4(), uuid4(), 0, Done(0))


class Handler:
    """Records the batches that it gets, and does `work` with each call's number; holds still while `gate` is shut."""

    def __init__(self, work: Callable[[int], Outcome] = Done) -> None:
        self.batches: list[list[int]] = []
        self.waits: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.work = work

    def __call__(self, calls: list[Call], *, wait: bool) -> Sequence[Outcome]:
        self.waits.append(wait)
        self.batches.append([call.data for call in calls])
        self.entered.set()
        assert self.gate.wait(10)
        return [self.work(call.data) for call in calls]


@pytest.fixture
def threads() -> Iterator[DatabaseThreads]:
    threads = DatabaseThreads()
    yield threads
    threads.stop()


async def busy(handler: Handler, batcher: Batcher) -> asyncio.Future[Outcome]:
    """Call 0 is under way, and stays so until the gate opens."""
    handler.gate.clear()
    first = batcher.submit(call(0))
    await asyncio.to_thread(handler.entered.wait, 10)
    return first


async def test_a_call_does_not_wait_when_nothing_runs(threads: DatabaseThreads) -> None:
    handler = Handler()
    batcher = Batcher(handler, threads)
    assert await batcher.submit(call(1)) == Done(1)
    assert await batcher.submit(call(2)) == Done(2)
    assert handler.batches == [[1], [2]]


async def test_calls_of_one_turn_share_a_batch_in_the_order_of_arrival(threads: DatabaseThreads) -> None:
    handler = Handler()
    batcher = Batcher(handler, threads)
    outcomes = await asyncio.gather(*(batcher.submit(call(number)) for number in range(50)))
    assert outcomes == [Done(number) for number in range(50)]
    assert handler.batches == [list(range(50))]


async def test_calls_that_arrive_during_a_run_share_the_next_one(threads: DatabaseThreads) -> None:
    handler = Handler()
    batcher = Batcher(handler, threads)
    first = await busy(handler, batcher)
    later = []
    for number in range(1, 6):
        later.append(batcher.submit(call(number)))
        await asyncio.sleep(0)
    handler.gate.set()
    assert await first == Done(0)
    assert await asyncio.gather(*later) == [Done(number) for number in range(1, 6)]
    assert handler.batches == [[0], [1, 2, 3, 4, 5]]


async def test_a_batch_has_an_upper_limit_and_the_order_goes_on(threads: DatabaseThreads) -> None:
    handler = Handler()
    batcher = Batcher(handler, threads)
    first = await busy(handler, batcher)
    count = 2 * MAX_BATCH + 10
    later = [batcher.submit(call(number)) for number in range(1, count + 1)]
    handler.gate.set()
    await asyncio.gather(first, *later)
    assert [len(batch) for batch in handler.batches] == [1, MAX_BATCH, MAX_BATCH, 10]
    assert [number for batch in handler.batches for number in batch] == list(range(count + 1))


async def test_one_batch_runs_at_a_time(threads: DatabaseThreads) -> None:
    alone = threading.Lock()

    def handler(calls: list[Call], *, wait: bool) -> list[Outcome]:
        assert alone.acquire(blocking=False)
        time.sleep(0.002)
        alone.release()
        return [Done(call.data) for call in calls]

    batcher = Batcher(handler, threads)

    async def client(number: int) -> None:
        for _ in range(20):
            assert await batcher.submit(call(number)) == Done(number)

    await asyncio.gather(*(client(number) for number in range(10)))


async def test_an_error_of_one_call_is_the_outcome_of_that_call(threads: DatabaseThreads) -> None:
    handler = Handler(lambda number: NotFound() if number == 1 else Done(number))
    batcher = Batcher(handler, threads)
    outcomes = await asyncio.gather(*(batcher.submit(call(number)) for number in range(3)))
    assert isinstance(outcomes[1], NotFound)
    assert (outcomes[0], outcomes[2]) == (Done(0), Done(2))


async def test_a_poisoned_call_does_not_harm_the_others(threads: DatabaseThreads) -> None:
    handler = Handler(lambda number: Done(10 // number))
    batcher = Batcher(handler, threads)
    outcomes = await asyncio.gather(*(batcher.submit(call(number)) for number in (5, 0, 2)))
    assert isinstance(outcomes[1], InternalError)
    assert (outcomes[0], outcomes[2]) == (Done(2), Done(5))
    assert handler.batches == [[5, 0, 2], [5], [0], [2]]
    assert await batcher.submit(call(1)) == Done(10), "it works on"


@pytest.mark.parametrize("error", [Unavailable(), OperationalError("server has gone away")], ids=type)
async def test_an_error_of_the_whole_batch_is_the_outcome_of_every_call(
    threads: DatabaseThreads, error: Exception
) -> None:
    def handler(calls: list[Call], *, wait: bool) -> list[Outcome]:
        raise error

    batcher = Batcher(handler, threads)
    outcomes = await asyncio.gather(*(batcher.submit(call(number)) for number in range(3)))
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    assert all(isinstance(outcome, ChatError) and outcome.retryable for outcome in outcomes)


async def test_a_call_that_nobody_waits_for_any_more_is_done_all_the_same(threads: DatabaseThreads) -> None:
    handler = Handler()
    batcher = Batcher(handler, threads)
    first = await busy(handler, batcher)
    gone, other = batcher.submit(call(1)), batcher.submit(call(2))
    gone.cancel()
    handler.gate.set()
    assert await first == Done(0)
    assert await other == Done(2)
    assert handler.batches == [[0], [1, 2]]


async def test_calls_that_arrive_in_the_last_moment_of_a_run_are_not_forgotten(
    threads: DatabaseThreads,
) -> None:
    """A call made by whoever hears an outcome finds the worker just about to stop."""
    handler = Handler()
    batcher = Batcher(handler, threads)
    for number in range(100):
        done = asyncio.Event()
        heard: list[asyncio.Future[Outcome]] = []

        def answer(_: object, number: int = number, heard: list = heard, done: asyncio.Event = done) -> None:
            heard.append(batcher.submit(call(number)))
            done.set()

        batcher.submit(call(-1)).add_done_callback(answer)
        async with asyncio.timeout(10):
            await done.wait()
            assert await heard[0] == Done(number)


async def test_what_many_call_about_does_not_hold_up_what_few_do(
    threads: DatabaseThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Odd numbers are a crowd here, and even ones another; a caller's own order stays."""
    monkeypatch.setattr(batches, "MAX_OF_A_CROWD", 2)
    handler, both = Handler(), someone()
    batcher = Batcher(handler, threads, crowd=lambda number: str(number % 2))
    first = await busy(handler, batcher)
    calls = [*(call(number) for number in (1, 3, 5, 7)), call(9, both), call(4, both), call(2)]
    outcomes = [first, *map(batcher.submit, calls)]
    handler.gate.set()
    await asyncio.gather(*outcomes)
    assert handler.batches == [[0], [1, 3, 2], [5, 7], [9, 4]]


async def test_who_calls_much_does_not_push_others_back(threads: DatabaseThreads) -> None:
    handler = Handler()
    batcher = Batcher(handler, threads)
    first = await busy(handler, batcher)
    alice = someone()
    flood = [batcher.submit(call(number, alice)) for number in range(1, 2 * MAX_BATCH)]
    bobs = batcher.submit(call(-1))
    handler.gate.set()
    assert await bobs == Done(-1)
    assert -1 in handler.batches[1]
    await asyncio.gather(first, *flood)
    assert [number for batch in handler.batches for number in batch if number > 0] == list(
        range(1, 2 * MAX_BATCH)
    )


class Locks:
    """A handler's locks: what `taken` holds can't be had, and waiting for it is in vain."""

    def __init__(self) -> None:
        self.taken: set[int] = set()
        self.log: list[int] = []

    def handler(self, calls: list[Call], *, wait: bool) -> Sequence[Outcome]:
        rooms = [call.data // 100 for call in calls]
        if wait and self.taken.intersection(rooms):
            raise Contended
        return [
            Contended() if room in self.taken else self.done(call)
            for room, call in zip(rooms, calls, strict=True)
        ]

    def done(self, call: Call) -> Outcome:
        self.log.append(call.data)
        return Done(call.data)


@pytest.fixture
def locks() -> Locks:
    return Locks()


async def test_a_taken_lock_holds_up_only_those_who_need_it(threads: DatabaseThreads, locks: Locks) -> None:
    batcher = Batcher(locks.handler, threads)
    locks.taken = {1}
    alice = someone()
    held_up = [batcher.submit(call(number, alice)) for number in (100, 101)]
    for number in range(200, 220):
        assert await batcher.submit(call(number)) == Done(number)
    assert not any(future.done() for future in held_up)
    locks.taken.clear()
    assert await asyncio.gather(*held_up) == [Done(100), Done(101)]
    assert [number for number in locks.log if number < 200] == [100, 101], "in their order, each once"


async def test_who_is_held_up_keeps_their_order(threads: DatabaseThreads, locks: Locks) -> None:
    batcher = Batcher(locks.handler, threads)
    locks.taken = {1}
    alice = someone()
    futures = [batcher.submit(call(number, alice)) for number in range(100, 120)]
    for _ in range(10):
        await batcher.submit(call(200))
    futures += [batcher.submit(call(number, alice)) for number in range(120, 140)]
    locks.taken.clear()
    await asyncio.gather(*futures)
    assert [number for number in locks.log if number < 200] == list(range(100, 140))


async def test_a_lock_that_stays_taken_is_told_in_time(
    threads: DatabaseThreads, locks: Locks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "CONTENDED_SECONDS", 0.2)
    batcher = Batcher(locks.handler, threads)
    locks.taken = {1}
    outcome = await batcher.submit(call(100))
    assert isinstance(outcome, Unavailable)
    assert outcome.retryable


async def test_batches_wait_for_locks_again_once_none_is_taken(
    threads: DatabaseThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "IMPATIENT_SECONDS", 0.1)
    handler = Handler(lambda number: Contended() if number == 1 and len(handler.waits) == 1 else Done(number))
    batcher = Batcher(handler, threads)
    assert await batcher.submit(call(1)) == Done(1)
    await asyncio.sleep(0.15)
    await batcher.submit(call(2))
    assert handler.waits == [True, False, True]
