"""Sockets that come at once, and sockets that only stay."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import msgspec
from django.db import connection

from bench.people import Account, people, rooms
from bench.report import Outcome, Row
from bench.scale import Scale
from bench.sockets import Audience, connect
from bench.stage import Stage
from eventlog.log import room_stream, user_stream


async def run(stage: Stage, scale: Scale) -> Outcome:
    return Outcome([*await _storm(stage, scale), *await _idle(stage, scale)])


async def _storm(stage: Stage, scale: Scale) -> list[Row]:
    """Everyone says who they are and where they were, in one frame; ready is who has got `resumed`."""
    crowd = people(scale.crowd)
    each = scale.rooms_each
    # Rooms of 10 × each, each member in `each` of them, no two in the same ones.
    count = max(each, scale.crowd // 10)
    members: list[list[Account]] = [[] for _ in range(count)]
    for number, account in enumerate(crowd):
        for step in range(each):
            members[(number + 7 * step) % count].append(account)
    room_ids = rooms(members)
    followed = {account.id: {user_stream(account.id): 0} for account in crowd}
    for room, accounts in zip(room_ids, members, strict=True):
        for account in accounts:
            followed[account.id][room_stream(room)] = 0
    frames = [
        msgspec.json.encode(
            {"type": "auth", "data": {"token": account.token, "cursors": followed[account.id]}}
        )
        for account in crowd
    ]
    async with AsyncExitStack() as stack:
        process = stack.enter_context(stage.ours())
        audience = Audience(b'{"type":"resumed"')
        stack.callback(audience.close)
        audience.expect(scale.crowd)
        asked, cpu, began = _statements(), process.cpu, time.perf_counter()

        async def come(frame: bytes) -> None:
            client = await connect(f"ws://127.0.0.1:{process.port}/ws", audience.hear)
            audience.clients.append(client)
            client.say(frame)

        await asyncio.gather(*map(come, frames))
        await audience.all()
        took, used = time.perf_counter() - began, process.cpu - cpu
        statements = (_statements() - asked) / scale.crowd
    case = f"connect storm, {scale.crowd:,} sockets, {each} rooms each, cursors"
    return [
        Row(case, "all ready ≤ 10 s", f"{took:.1f} s", f"{used:.1f} s of processor time", "-", took <= 10),
        Row(case, "≤ 8 statements a connection", f"{statements:.2f}", "-", "-", statements <= 8),
    ]


def _statements() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Questions'")
        return int(cursor.fetchone()[1])


async def _idle(stage: Stage, scale: Scale) -> list[Row]:
    accounts = people(scale.idle)
    rooms([accounts[start : start + 10] for start in range(0, scale.idle, 10)])
    async with AsyncExitStack() as stack:
        process = stack.enter_context(stage.ours())
        audience = Audience(b'{"type":"ready"')
        stack.callback(audience.close)
        url = f"ws://127.0.0.1:{process.port}/ws"
        # A few first, so that what the first ones bring along is not counted.
        first, rest = accounts[: scale.idle // 20], accounts[scale.idle // 20 :]
        audience.expect(len(first))
        await audience.gather(url, [account.token for account in first])
        await audience.all()
        await asyncio.sleep(3)
        before = process.resident
        audience.expect(len(rest))
        await audience.gather(url, [account.token for account in rest])
        await audience.all()
        await asyncio.sleep(3)
        each = (process.resident - before) / len(rest) / 1024
    return [
        Row(
            f"idle connection, of {scale.idle:,}",
            "≤ 34 KB resident each",
            f"{each:.1f} KB",
            "-",
            "-",
            each <= 34,
        )
    ]
