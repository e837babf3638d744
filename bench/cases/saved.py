"""Messages that are saved: how many a second, how late they are, and what a busy room does to the others."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple
from uuid import UUID

from bench.people import Account, people, rooms
from bench.report import Bars, Outcome, Row, percentile
from bench.scale import Scale
from bench.sockets import Talker, delivered, our_frame
from bench.stage import Process, Stage

WINDOW = 8


class Flow(NamedTuple):
    """What some talkers did in a while: messages a second, and the times from send to delivery."""

    rate: float
    latencies: list[float]

    def ms(self, share: float) -> float:
        return percentile(self.latencies, share) * 1000


async def run(stage: Stage, scale: Scale) -> Outcome:
    throughput, tutorials = await _throughput(stage, scale)
    steady = await _steady(stage, scale)
    hot = await _hot_room(stage, scale)
    return Outcome(
        [*throughput, *steady, *hot], [Bars("saved", "Saved messages a second", "messages/s", tutorials)]
    )


# --- Who talks ----------------------------------------------------------------------------------


async def _ours(
    process: Process, members: Sequence[Sequence[Account]], room_ids: Sequence[UUID]
) -> list[Talker]:
    talkers = []
    for room, accounts in zip(room_ids, members, strict=True):
        for account in accounts:
            talker = Talker(account.id.hex[:12], our_frame(room), delivered)
            await talker.connect(f"ws://127.0.0.1:{process.port}/ws", account.token)
            talkers.append(talker)
    await asyncio.sleep(1)
    return talkers


async def _tutorials(process: Process, count: int) -> list[Talker]:
    """Two in each of `count` rooms; a message carries its id in its text."""
    talkers = []
    for number in range(2 * count):
        talker = Talker(f"t{number}", _tutorial_frame, _tutorial_answer)
        await talker.connect(f"ws://127.0.0.1:{process.port}/save/room-{number // 2}")
        talkers.append(talker)
    return talkers


def _tutorial_frame(id_: str) -> bytes:
    return json.dumps({"message": f"{id_:<100}"}).encode()


def _tutorial_answer(payload: bytes) -> str | None:
    return str(json.loads(payload)["message"]).strip()


async def _talk(talkers: Sequence[Talker], window: int, seconds: float) -> Flow:
    """As fast as answers come."""
    for talker in talkers:
        talker.talk(window)
    await asyncio.sleep(_warm_up(seconds))
    for talker in talkers:
        talker.latencies.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - began
    flow = _flow(talkers, took)
    await _fall_silent(talkers)
    return flow


def _warm_up(seconds: float) -> float:
    return min(1.5, seconds / 2)


async def _pace(talkers: Sequence[Talker], rate: float, seconds: float) -> Flow:
    """So many messages a second of all of them together, whatever comes back."""
    began = time.perf_counter()
    sent = 0
    while (now := time.perf_counter() - began) < seconds:
        while sent < now * rate:
            random.choice(talkers).say()
            sent += 1
        await asyncio.sleep(0.001)
    await _fall_silent(talkers)
    return _flow(talkers, seconds)


async def _fall_silent(talkers: Sequence[Talker]) -> None:
    for talker in talkers:
        talker.stop()
    async with asyncio.timeout(60):
        while any(talker.unanswered for talker in talkers):
            await asyncio.sleep(0.02)


def _flow(talkers: Sequence[Talker], seconds: float) -> Flow:
    latencies = [latency for talker in talkers for latency in talker.latencies]
    for talker in talkers:
        talker.latencies.clear()
    return Flow(len(latencies) / seconds, latencies)


def _close(talkers: Sequence[Talker]) -> None:
    for talker in talkers:
        if talker.client:
            talker.client.close()


# --- What is measured ---------------------------------------------------------------------------


async def _throughput(stage: Stage, scale: Scale) -> tuple[list[Row], dict[str, float]]:
    members = [people(2) for _ in range(scale.rooms)]
    room_ids = rooms(members)
    async with AsyncExitStack() as stack:
        process, other = stack.enter_context(stage.ours()), stack.enter_context(stage.tutorial())
        mine, theirs = await _ours(process, members, room_ids), await _tutorials(other, scale.rooms)
        stack.callback(_close, [*mine, *theirs])
        ours, tutorial = [], []
        for _ in range(2 if scale.turns > 1 else 1):
            tutorial.append(await _talk(theirs, WINDOW, scale.seconds))
            ours.append(await _talk(mine, WINDOW, scale.seconds))
        best = max(tutorial, key=lambda flow: flow.rate)
        paced = await _pace(mine, best.rate, scale.seconds)
    ours_rate = sum(flow.rate for flow in ours) / len(ours)
    tutorial_rate = sum(flow.rate for flow in tutorial) / len(tutorial)
    ratio = ours_rate / tutorial_rate
    p50 = min(flow.ms(0.5) for flow in tutorial)
    case = f"saved messages, {scale.rooms} rooms of 2, window {WINDOW}"
    rows = [
        Row(
            case,
            "≥ 8 × the tutorial",
            f"{ours_rate:,.0f}/s",
            f"tutorial {tutorial_rate:,.0f}/s",
            f"{ratio:.1f}",
            ratio >= 8,
        ),
        Row(
            f"the same at the tutorial's {best.rate:,.0f}/s",
            "p99 ≤ the tutorial's p50",
            f"p99 {paced.ms(0.99):.0f} ms",
            f"tutorial p50 {p50:.0f} ms",
            f"{paced.ms(0.99) / p50:.2f}",
            paced.ms(0.99) <= p50,
        ),
    ]
    return rows, {"ours": ours_rate, "tutorial": tutorial_rate}


async def _steady(stage: Stage, scale: Scale) -> list[Row]:
    """Everyone's deliveries are timed, not only the senders'."""
    count, rate = (100, 200) if scale.rooms >= 50 else (10, 50)
    members = [people(10) for _ in range(count)]
    room_ids = rooms(members)
    sent: dict[str, float] = {}
    latencies: list[float] = []

    def hear(payload: bytes) -> None:
        id_ = delivered(payload)
        if id_ in sent:
            latencies.append(time.perf_counter() - sent[id_])

    async with AsyncExitStack() as stack:
        process = stack.enter_context(stage.ours())
        talkers = await _ours(process, members, room_ids)
        stack.callback(_close, talkers)
        for talker in talkers:
            assert talker.client
            talker.client.hear = hear
        # What the crowd of their arrival costs, presence above all, is not what is steady.
        await _quiet(process)
        before, began, number = process.cpu, time.perf_counter(), 0
        while (now := time.perf_counter() - began) < 2 * scale.seconds:
            while number < now * rate:
                place = random.randrange(len(talkers))
                id_ = f"s{number}"
                sent[id_] = time.perf_counter()
                client = talkers[place].client
                assert client
                client.say(our_frame(room_ids[place // 10])(id_))
                number += 1
            await asyncio.sleep(0.001)
        share = (process.cpu - before) / (time.perf_counter() - began)
        await asyncio.sleep(0.5)
    p99 = percentile(latencies, 0.99) * 1000
    case = f"steady {rate} messages/s over {count} rooms of 10"
    complete = len(latencies) == 10 * number
    return [
        Row(
            case,
            "p99 send → delivered ≤ 100 ms",
            f"p99 {p99:.0f} ms",
            f"{len(latencies):,} deliveries",
            "-",
            p99 <= 100 and complete,
        ),
        Row(case, "≤ 60 % of one core", f"{share:.0%} of a core", "-", "-", share <= 0.6),
    ]


async def _quiet(process: Process) -> None:
    """Wait until the process has less than a tenth of a core to do."""
    for _ in range(60):
        before = process.cpu
        await asyncio.sleep(1)
        if process.cpu - before < 0.1:
            return


async def _hot_room(stage: Stage, scale: Scale) -> list[Row]:
    busy, quiet = [people(20)], [people(2) for _ in range(10)]
    busy_rooms, quiet_rooms = rooms(busy), rooms(quiet)
    async with AsyncExitStack() as stack:
        process = stack.enter_context(stage.ours())
        loud, others = await _ours(process, busy, busy_rooms), await _ours(process, quiet, quiet_rooms)
        stack.callback(_close, [*loud, *others])
        await _quiet(process)
        alone = await _pace(others, 20, scale.seconds)
        talking = asyncio.create_task(_talk(loud, WINDOW, scale.seconds))
        await asyncio.sleep(_warm_up(scale.seconds))
        beside = await _pace(others, 20, scale.seconds - 0.5)
        hot = await talking
    case = "one hot room, 20 senders"
    times = beside.ms(0.99) / alone.ms(0.99)
    return [
        Row(case, "≥ 1,000 saved messages/s", f"{hot.rate:,.0f}/s", "-", "-", hot.rate >= 1000),
        Row(
            "other rooms beside it",
            "p99 not doubled",
            f"p99 {beside.ms(0.99):.0f} ms",
            f"p99 {alone.ms(0.99):.0f} ms without it",
            f"{times:.2f}",
            times <= 2,
        ),
    ]
