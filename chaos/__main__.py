"""`python -m chaos`: the run, from the first client to the verdict."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from chaos import checker, report
from chaos.client import Client, call
from chaos.faults import CLUSTER, EMBEDDED, Fault
from chaos.history import History
from chaos.stage import Stage

CAUGHT_UP_SECONDS = 10
"""How long they may take by the promise."""


async def run(stage: Stage, arguments: argparse.Namespace) -> bool:
    """One run; prints its progress and its verdict. True if every invariant held."""
    dice = random.Random(arguments.seed)
    history = History()
    clients = await _cast(stage, history, dice, arguments)
    before = stage.resources()
    living = [asyncio.create_task(client.live(stage.webs)) for client in clients]
    await asyncio.sleep(3)
    if arguments.calm:
        await asyncio.sleep(arguments.seconds)
    else:
        await _break_things(stage, history, dice, arguments.seconds)
    healed = time.monotonic()
    for client in clients:
        client.talking = False
    caught_up = await _until_complete(stage, clients, healed, arguments.drain)
    for task in living:
        task.cancel()
    await asyncio.gather(*living, return_exceptions=True)
    histories = [await _rooms(web, clients) for web in stage.webs]
    breaches = checker.breaches(history, histories[0])
    if any(other != histories[0] for other in histories[1:]):
        breaches["every_process_reads_the_same"] = ["two processes show different histories"]
    if caught_up is None:
        breaches["everyone_ends_complete"] = [
            f"not all clients were complete {arguments.drain} s after healing"
        ]
    elif caught_up > CAUGHT_UP_SECONDS:
        breaches["caught_up_in_time"] = [f"the last client was complete after {caught_up:.1f} s"]
    if odd := checker.odd_log_lines(stage.logs()):
        breaches["logs_are_clean"] = odd[:5]
    await asyncio.sleep(3)
    report.write(arguments, history, histories[0], breaches, caught_up, before, stage.resources())
    return not breaches


async def _cast(
    stage: Stage, history: History, dice: random.Random, arguments: argparse.Namespace
) -> list[Client]:
    """Registered clients in rooms that overlap, so that each stream has several readers."""
    clients = [
        Client(f"client-{number:02}", history, random.Random(dice.random()))
        for number in range(arguments.clients)
    ]
    for client in clients:
        await client.register(stage.webs[0])
        client.pause = arguments.pause
    for number in range(arguments.rooms):
        members = dice.sample(clients, 6)
        body = {"name": f"Room {number}", "member_ids": [member.id for member in members[1:]]}
        room = await call(stage.webs[0], "POST", "/rooms", members[0].token, json=body)
        for member in members:
            member.follow(room["id"])
    return [client for client in clients if client.rooms]


async def _break_things(stage: Stage, history: History, dice: random.Random, seconds: float) -> None:
    """Faults one after another, with quiet between them; each kind once before any comes twice."""
    kinds = CLUSTER if stage.profile == "cluster" else EMBEDDED
    deadline = time.monotonic() + seconds
    left: list[Fault] = []
    while time.monotonic() < deadline:
        if not left:
            left = dice.sample(kinds, len(kinds))
        fault = left.pop()
        began = time.monotonic()
        print(f"{began - history.started:6.1f} s  {fault.name}", flush=True)
        await fault.run(stage, dice)
        history.faults.append((began, time.monotonic(), fault.name))
        await asyncio.sleep(dice.uniform(1, 4))


async def _until_complete(stage: Stage, clients: list[Client], since: float, patience: float) -> float | None:
    """Seconds until every client has every event, and no send is under way; None if that does not come."""
    while time.monotonic() < since + patience:
        try:
            heads = await _heads(stage, clients)
        except httpx.HTTPError:
            await asyncio.sleep(0.3)
            continue
        if checker.everyone_is_complete(clients, heads) and not any(c._unacked for c in clients):
            return time.monotonic() - since
        await asyncio.sleep(0.3)
    return None


async def _heads(stage: Stage, clients: list[Client]) -> dict[str, int]:
    heads: dict[str, int] = {}
    for client in clients:
        if not set(client.rooms) <= heads.keys():
            streams = (await call(stage.webs[0], "GET", "/sync?limit=100", client.token))["streams"]
            heads |= {name.removeprefix("room:"): pos for name, pos in streams.items()}
    return heads


async def _rooms(web: Any, clients: list[Client]) -> checker.Rooms:
    """Each room's whole history, as this process reads it."""
    rooms: checker.Rooms = {}
    for client in clients:
        for room in client.rooms:
            if room in rooms:
                continue
            rooms[room] = []
            query = "after=0"
            while query:
                page = await call(web, "GET", f"/rooms/{room}/messages?limit=100&{query}", client.token)
                rooms[room] += page["results"]
                query = f"cursor={page['next_cursor']}" if page["next_cursor"] else ""
    return rooms


def main() -> None:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--profile", choices=["cluster", "embedded"], default="cluster")
    parser.add_argument("--seed", type=int, default=1, help="the same seed breaks the same things (1)")
    parser.add_argument("--seconds", type=float, default=90, help="how long things break (90)")
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--rooms", type=int, default=8)
    parser.add_argument(
        "--pause", type=float, default=0.2, help="mean seconds between a client's sends (0.2)"
    )
    parser.add_argument(
        "--break", dest="breakage", help="run a server that is broken on purpose: see chaos.broken"
    )
    parser.add_argument(
        "--drain", type=float, default=30, help="seconds to become complete, at the most (30)"
    )
    parser.add_argument("--calm", action="store_true", help="no faults: only what the breakage does")
    parser.add_argument("--report", type=Path, default=Path("chaos-report"), help="where the report goes")
    arguments = parser.parse_args()
    with Stage(arguments.profile, arguments.breakage) as stage:
        held = asyncio.run(run(stage, arguments))
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
