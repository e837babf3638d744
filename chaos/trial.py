"""One run, from the first client to the verdict."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chaos import audit, checker
from chaos.audit import Rooms
from chaos.client import Client
from chaos.credentials import NoAnswer
from chaos.faults import CLUSTER, EMBEDDED, MISSING, Fault, Scene, people
from chaos.history import History, Trouble
from chaos.stage import Stage

SECONDS_TO_RETURN = 30
"""For what dead clients held: two heartbeats pass before the server lets go of them."""

_MEMBERS = 6


@dataclass(frozen=True)
class Plan:
    """What a run does.

    Args:
        seconds: faults begin for so long; None: until each was there once.
        faults: their names; None: all of the profile, an empty tuple: none.
        pause: mean seconds between a client's sends.
        drain: seconds to become complete, at the most.
        measure: whether memory, descriptors and connections are compared, which takes a minute.
    """

    profile: str
    seed: int
    seconds: float | None
    faults: tuple[str, ...] | None
    clients: int
    rooms: int
    pause: float
    drain: float
    measure: bool


@dataclass
class Verdict:
    """What came of it."""

    breaches: dict[str, list[str]]
    rooms: Rooms
    caught_up: float | None
    before: dict[str, int]
    after: dict[str, int]
    logs: str


async def run(plan: Plan, stage: Stage, history: History) -> Verdict:
    dice = random.Random(plan.seed)
    await stage.connect()
    clients, rooms = await _cast(plan, stage, history, dice)
    scene = Scene(stage, clients, rooms, history, dice)
    async with _everyone_lives(clients):
        before = await _warm_up(scene) if plan.measure else {}
        await _talk(scene, plan)
        for client in clients:
            client.talking = False
        caught_up = await _until_complete(clients, plan.drain)
        after = await _settled(stage, before) if plan.measure else {}
    found, shown = await _judge(scene, before, after)
    if caught_up is None:
        found["everyone_ends_complete"] = [f"not all clients were complete after {plan.drain} s"]
    await stage.disconnect()
    return Verdict(found, shown, caught_up, before, after, stage.logs())


async def _cast(
    plan: Plan, stage: Stage, history: History, dice: random.Random
) -> tuple[list[Client], dict[str, list[Client]]]:
    """Registered clients in rooms that overlap, so that each stream has several readers."""
    clients = [
        Client(f"client-{number:02}", history, random.Random(dice.random()), stage.webs)
        for number in range(plan.clients)
    ]
    for client in clients:
        await client.register()
        client.pause = plan.pause
    rooms = {}
    for number in range(plan.rooms):
        # Everyone is somewhere: a third of the members come in turn, the others by chance.
        in_turn = [clients[(number * 3 + place) % len(clients)] for place in range(3)]
        others = [client for client in clients if client not in in_turn]
        members = in_turn + dice.sample(others, min(_MEMBERS, len(clients)) - len(in_turn))
        body = {"name": f"Room {number}", "member_ids": [member.id for member in members[1:]]}
        room = await members[0].credentials.must("POST", "/rooms", json=body)
        rooms[room["id"]] = members
    return clients, rooms


@asynccontextmanager
async def _everyone_lives(clients: list[Client]) -> AsyncIterator[None]:
    # A group: a client that fails by itself ends the run at once, rather than being waited for.
    async with asyncio.TaskGroup() as group:
        lives = [group.create_task(client.live()) for client in clients]
        yield
        for life in lives:
            life.cancel()


async def _talk(scene: Scene, plan: Plan) -> None:
    """Faults one after another, with quiet between them; each kind once before any comes twice."""
    await asyncio.sleep(3)
    faults = [
        f
        for f in (CLUSTER if plan.profile == "cluster" else EMBEDDED)
        if plan.faults is None or f.name in plan.faults
    ]
    if not faults:
        await asyncio.sleep(plan.seconds or 0)
        return
    scene.history.notes.extend(f"LEFT OUT {what}" for what in MISSING)
    deadline = time.monotonic() + (plan.seconds or 0)
    first_round = True
    while first_round or time.monotonic() < deadline:
        for fault in scene.dice.sample(faults, len(faults)):
            if plan.seconds is not None and time.monotonic() > deadline:
                return
            await _break(scene, fault, plan.drain)
            await asyncio.sleep(scene.dice.uniform(0.2, 1))
        first_round = False


async def _break(scene: Scene, fault: Fault, patience: float) -> None:
    """One fault, and the time until everyone has what there was at its end."""
    history = scene.history
    began = time.monotonic()
    print(f"{history.now:6.1f} s  {fault.name:<24}", end="", flush=True)
    await fault.run(scene)
    healed = time.monotonic()
    caught_up = await _until_caught_up(scene.clients, patience)
    print(
        f"{healed - began:5.1f} s, " + ("never" if caught_up is None else f"caught up in {caught_up:.1f} s"),
        flush=True,
    )
    history.troubles.append(Trouble(fault.name, began, healed, caught_up))


async def _until_caught_up(clients: list[Client], patience: float) -> float | None:
    """Seconds until every client has what was there when this began; None if that does not come."""
    began = time.monotonic()
    goals: dict[str, dict[str, int]] = {}
    while time.monotonic() < began + patience:
        for client in clients:
            if client.name not in goals and (heads := await _heads(client)) is not None:
                goals[client.name] = heads
        behind = [
            client.name
            for client in clients
            if client.name not in goals
            or any(client.cursors.get(stream, head) < head for stream, head in goals[client.name].items())
        ]
        if not behind:
            return time.monotonic() - began
        await asyncio.sleep(0.1)
    return None


async def _until_complete(clients: list[Client], patience: float) -> float | None:
    """Seconds until every client is in the rooms it should be in, has every event, and waits for no ack."""
    began = time.monotonic()
    left = list(clients)
    while left and time.monotonic() < began + patience:
        left = [c for c in left if c.unacked or await _heads(c) != c.cursors]
        await asyncio.sleep(0.1)
    return None if left else time.monotonic() - began


async def _heads(client: Client) -> dict[str, int] | None:
    try:
        sync = await client.credentials.must("GET", "/sync?limit=100")
    except NoAnswer:
        return None
    return dict(sync["streams"])


async def _warm_up(scene: Scene) -> dict[str, int]:
    """What the processes hold once every thread has worked, a crowd has come and gone, and all is quiet.

    The crowd, since Python gives little back of what a peak took: without it the allocator's habits
    would be measured, with it only what is really kept.
    """
    await asyncio.sleep(3)
    for client in scene.clients:
        client.talking = False
    for web in scene.stage.webs:
        crowd = await people.gather_crowd(scene, web, web)
        crowd.kill()
        await crowd.wait()
        await asyncio.gather(*(audit.history_of(web, scene.rooms) for _ in range(16)))
    for client in scene.clients:
        client.credentials.webs = client.webs = scene.stage.webs
    await _until_complete(scene.clients, 20)
    held = scene.stage.resources()
    for client in scene.clients:
        client.talking = True
    return held


async def _settled(stage: Stage, before: dict[str, int]) -> dict[str, int]:
    """What the processes hold afterwards, as soon as it is no more than before, at the latest in half a minute."""
    deadline = time.monotonic() + SECONDS_TO_RETURN
    while checker.grown(before, held := stage.resources()) and time.monotonic() < deadline:
        await asyncio.sleep(1)
    return held


async def _judge(
    scene: Scene, before: dict[str, int], after: dict[str, int]
) -> tuple[dict[str, list[str]], Rooms]:
    webs = scene.stage.webs
    histories = [await audit.history_of(web, scene.rooms) for web in webs]
    replays = [await audit.replay_of(web, scene.rooms) for web in webs]
    shown = histories[0]
    found = checker.breaches(scene.history, shown)
    for room, messages in shown.items():
        wanted = checker.as_messages(messages)
        for web, history, replay in zip(webs, histories, replays, strict=True):
            if checker.as_messages(history[room]) != wanted or checker.as_messages(replay[room]) != wanted:
                sentence = f"process {web.number} shows or replays another history of {room}"
                found.setdefault("everyone_shows_the_same", []).append(sentence)
    if odd := checker.odd_log_lines(scene.stage.logs()):
        found["logs_are_clean"] = odd
    if more := checker.grown(before, after):
        found["resources_return"] = more
    return found, shown
