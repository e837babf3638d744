"""Faults that come from people: moderation in the middle of talk, hostile clients, a crowd."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

import websockets

from chaos.client import Client
from chaos.credentials import Credentials
from chaos.faults.fault import Fault, Scene
from chaos.staff import Staff
from chaos.stage import Web

SECONDS_TO_CLOSE = 2
"""Within which a suspension closes sockets on every process, by the promise."""

SECONDS_HOSTILE = 8

CROWD = 2000
SOCKETS_EACH = 100
SECONDS_FOR_THE_CROWD = 20
_HANDSHAKES_AT_ONCE = 100


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
    async with asyncio.TaskGroup() as group:
        for number, behave in enumerate((_read_nothing, _flood)):
            enemy = Credentials(f"enemy-{len(scene.history.troubles)}-{number}", scene.dice, scene.stage.webs)
            await enemy.register()
            group.create_task(_be(behave, enemy, scene))


async def _be(behave: Any, enemy: Credentials, scene: Scene) -> None:
    """Again and again: an enemy that is thrown out comes back."""
    deadline = time.monotonic() + SECONDS_HOSTILE
    while time.monotonic() < deadline:
        web = scene.dice.choice(scene.stage.webs)
        with suppress(OSError, TimeoutError, websockets.WebSocketException):
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + SECONDS_HOSTILE):
                await behave(enemy, web)
        scene.history.counts["enemies thrown out"] += 1
        await asyncio.sleep(0.5)


async def _read_nothing(enemy: Credentials, web: Web) -> None:
    """Big questions whose answers nobody fetches."""
    async with _socket(enemy, web, max_queue=1) as socket:
        question = json.dumps({"type": "ping", "data": {"x": "x" * 60_000}})
        while True:
            await socket.send(question)


async def _flood(enemy: Credentials, web: Web) -> None:
    async with _socket(enemy, web, max_queue=None) as socket:
        while True:
            await socket.send('{"type": "ping", "data": {}}')


def _socket(who: Credentials, web: Web, **options: Any) -> websockets.connect:
    headers = {"Authorization": f"Bearer {who.access}"}
    return websockets.connect(
        web.server.ws,
        additional_headers=headers,
        compression=None,
        open_timeout=30,
        close_timeout=0.2,
        **options,
    )


async def crowd(scene: Scene) -> None:
    """2,000 sockets of one process lose it, and all come back at once."""
    sleepers = [
        Credentials(f"sleeper-{len(scene.history.troubles)}-{number}", scene.dice, scene.stage.webs)
        for number in range(CROWD // SOCKETS_EACH)
    ]
    for sleeper in sleepers:
        await sleeper.register()
    first, last = scene.stage.webs[0], scene.stage.webs[-1]
    async with AsyncExitStack() as sockets:
        await _arrive(scene, sockets, sleepers, first)
        scene.history.kills.append((time.monotonic(), first.number))
        await asyncio.to_thread(first.server.kill)
        await asyncio.to_thread(first.server.start)
        began = time.monotonic()
        await _arrive(scene, sockets, sleepers, last)
        took = time.monotonic() - began
    scene.history.notes.append(f"crowd: {CROWD} sockets ready again after {took:.1f} s")
    if took > SECONDS_FOR_THE_CROWD:
        scene.history.breach("the_crowd_is_served", f"{CROWD} sockets were ready after {took:.1f} s")


async def _arrive(scene: Scene, sockets: AsyncExitStack, sleepers: list[Credentials], web: Web) -> None:
    # A client machine of its own would not do more at once, either: its handshakes cost as much as ours.
    gate = asyncio.Semaphore(_HANDSHAKES_AT_ONCE)

    async def one(sleeper: Credentials) -> None:
        async with gate:
            try:
                socket = await sockets.enter_async_context(_socket(sleeper, web))
                frame = json.loads(await asyncio.wait_for(socket.recv(), 30))
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                scene.history.breach("the_crowd_is_served", f"a socket was refused: {error!r}")
            else:
                if frame["type"] != "ready":
                    scene.history.breach("the_crowd_is_served", f"a socket got {frame}")

    await asyncio.gather(*(one(sleeper) for sleeper in sleepers for _ in range(SOCKETS_EACH)))


FAULTS = [
    Fault("members removed", remove_members),
    Fault("user suspended", shut_out),
    Fault("hostile clients", be_hostile),
    Fault("crowd", crowd),
]
