"""Faults that come from people: moderation in the middle of talk, hostile clients, a crowd."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from chaos.client import Client
from chaos.credentials import Credentials
from chaos.faults import processes
from chaos.faults.fault import Fault, Scene
from chaos.staff import Staff
from chaos.stage import Web
from tests.live import ROOT

SECONDS_TO_CLOSE = 2
"""Within which a suspension closes sockets on every process, by the promise."""

SECONDS_HOSTILE = 8

CROWD = 2000
SOCKETS_EACH = 100
SECONDS_FOR_THE_CROWD = 20


@contextmanager
def _burst(clients: list[Client]) -> Iterator[None]:
    """Everyone talks as fast as they may."""
    pauses = [client.pause for client in clients]
    for client in clients:
        client.pause = 0.02
    try:
        yield
    finally:
        for client, pause in zip(clients, pauses, strict=True):
            client.pause = pause


async def remove_members(scene: Scene) -> None:
    """Put out, and taken in again, while everyone talks."""
    with _burst(scene.clients):
        await asyncio.sleep(1)
        for _ in range(4):
            room = scene.dice.choice(list(scene.rooms))
            owner, *others = scene.rooms[room]
            victim = scene.dice.choice(others)
            await owner.credentials.must("DELETE", f"/rooms/{room}/members/{victim.id}")
            await asyncio.sleep(scene.dice.uniform(0.2, 1))
            await owner.credentials.must("POST", f"/rooms/{room}/members", json={"user_ids": [victim.id]})


async def shut_out(scene: Scene) -> None:
    """Suspended by staff while everyone talks, and let in again."""
    victim = scene.dice.choice(scene.clients)
    with _burst(scene.clients):
        async with Staff(scene.dice.choice(scene.stage.webs)) as staff:
            await asyncio.sleep(1)
            session = next(s for s in reversed(scene.history.sessions) if s.client == victim.name)
            began = time.monotonic()
            await staff.act("deactivate", victim.id)
            while session.gone is None and time.monotonic() < began + 2 * SECONDS_TO_CLOSE:
                await asyncio.sleep(0.02)
            took = time.monotonic() - began
            if session.gone is None or took > SECONDS_TO_CLOSE:
                scene.history.breach(
                    "nothing_after_a_removal",
                    f"{victim.name}'s socket outlived the suspension by {took:.1f} s",
                )
            scene.history.notes.append(f"suspended: socket closed after {took * 1000:.0f} ms")
            await asyncio.sleep(2)
            await staff.act("activate", victim.id)


async def be_hostile(scene: Scene) -> None:
    """One asks for much and reads nothing, one sends as fast as it can."""
    await asyncio.gather(*(_be(scene, number, role) for number, role in enumerate(("read_nothing", "flood"))))


async def _be(scene: Scene, number: int, role: str) -> None:
    enemy = await _newcomer(scene, f"enemy-{number}")
    url = scene.dice.choice(scene.stage.webs).server.ws
    process = await _stranger(role, url, enemy.access, str(SECONDS_HOSTILE))
    output, _ = await process.communicate()
    scene.history.counts["enemies thrown out"] += int(output)


async def crowd(scene: Scene) -> None:
    """2,000 sockets of one process lose it, and all come back at once."""
    first, last = scene.stage.webs[0], scene.stage.webs[-1]
    process = await gather_crowd(scene, first, last)
    assert process.stdout
    restarted = asyncio.create_task(processes.kill_and_start(scene, first, within=SECONDS_FOR_THE_CROWD))
    outcome = json.loads(await process.stdout.readline())
    back = time.monotonic()
    took = back - (await restarted).others_up
    process.kill()
    await process.wait()
    scene.history.notes.append(f"crowd: {outcome['back']} sockets were ready again after {took:.1f} s")
    if took > SECONDS_FOR_THE_CROWD:
        scene.history.breach("the_crowd_is_served", f"{CROWD} sockets were ready after {took:.1f} s")
    for reason, count in outcome["refusals"].items():
        scene.history.breach("the_crowd_is_served", f"{count} sockets were refused: {reason}")


async def gather_crowd(scene: Scene, there: Web, later: Web) -> asyncio.subprocess.Process:
    """2,000 sockets at one process, which will go to another if they are lost; they end with the process returned."""
    sleepers = [await _newcomer(scene, f"sleeper-{there.number}-{n}") for n in range(CROWD // SOCKETS_EACH)]
    tokens = [sleeper.access for sleeper in sleepers]
    process = await _stranger("crowd", str(SOCKETS_EACH), there.server.ws, later.server.ws, *tokens)
    assert process.stdout
    await process.stdout.readline()
    return process


async def _newcomer(scene: Scene, name: str) -> Credentials:
    """Someone with a name that nobody else took."""
    newcomer = Credentials(f"{name}-{uuid4().hex[:8]}", scene.dice, scene.stage.webs)
    await newcomer.register()
    return newcomer


async def _stranger(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chaos.strangers", *arguments, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )


FAULTS = [
    Fault("members removed", remove_members),
    Fault("user suspended", shut_out),
    Fault("hostile clients", be_hostile),
    Fault("crowd", crowd),
]
