"""A client that was away for long: how fast the log comes, and what that costs in memory."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import msgspec

from bench.people import log_events, people, rooms
from bench.report import Outcome, Row
from bench.scale import Scale
from bench.sockets import MESSAGE, Client, connect
from bench.stage import Stage
from eventlog.log import room_stream

RATE = 50_000


async def run(stage: Stage, scale: Scale) -> Outcome:
    (account,) = people(1)
    (room,) = rooms([[account]])
    data = {
        "id": str(room),
        "room_id": str(room),
        "seq": 1,
        "content": "x" * 100,
        "sender": {"id": str(account.id)},
    }
    log_events(room, scale.missed, f'"data":{msgspec.json.encode(data).decode()}}}')
    stream = room_stream(room)
    events = 0
    ended = asyncio.Event()

    def hear(payload: bytes) -> None:
        nonlocal events
        if payload.startswith(MESSAGE):
            events += 1
        elif payload.startswith(b'{"type":"resumed"'):
            ended.set()

    async with AsyncExitStack() as stack:
        process = stack.enter_context(stage.ours())
        client: Client = await connect(f"ws://127.0.0.1:{process.port}/ws", hear, token=account.token)
        stack.callback(client.close)
        await asyncio.sleep(1)
        rates, used = [], 0.0
        before = process.resident
        for _ in range(scale.turns):
            ended.clear()
            events, cpu, began = 0, process.cpu, time.perf_counter()
            client.say(msgspec.json.encode({"type": "resume", "data": {"cursors": {stream: 0}}}))
            async with asyncio.timeout(120):
                await ended.wait()
            rates.append(events / (time.perf_counter() - began))
            used = process.cpu - cpu
        grown = (process.resident - before) / 2**20
    rate = sorted(rates)[len(rates) // 2]
    case = f"resume of {scale.missed:,} events, one socket"
    return Outcome(
        [
            Row(
                case,
                f"≥ {RATE:,} events/s",
                f"{rate:,.0f}/s",
                f"{used / scale.missed * 1e6:.1f} µs of processor time each",
                "-",
                rate >= RATE and events == scale.missed,
            ),
            Row(case, "memory flat", f"{grown:+.1f} MB", "-", "-", grown <= 10),
        ]
    )
