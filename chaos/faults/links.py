"""Faults of the network between the clients and the servers."""

from __future__ import annotations

import asyncio

from chaos.checker import PULLED
from chaos.faults.fault import Fault, Scene

SECONDS = 6
SECONDS_PULLED = 20
"""Longer than two heartbeats: the server must let go of whoever is behind it."""


async def reset(scene: Scene) -> None:
    """RST for half of the connections, several times, wherever in a frame they are."""
    for _ in range(5):
        for web in scene.stage.webs:
            scene.history.counts["links reset"] += web.link.reset(scene.dice, 0.5)
        await asyncio.sleep(SECONDS / 5)


async def slow(scene: Scene) -> None:
    """Every piece of data takes its time."""
    link = scene.dice.choice(scene.stage.webs).link
    link.delay = 0.25
    await asyncio.sleep(SECONDS)
    link.clear()


async def slice_(scene: Scene) -> None:
    """Data comes a few bytes at a time."""
    link = scene.dice.choice(scene.stage.webs).link
    link.slice_bytes = 7
    await asyncio.sleep(SECONDS)
    link.clear()


async def pull(scene: Scene) -> None:
    """A black hole: nothing arrives any more, and nobody is told."""
    link = scene.dice.choice(scene.stage.webs).link
    link.pull()
    await asyncio.sleep(SECONDS_PULLED)
    link.reset()
    link.clear()


FAULTS = [
    Fault("links reset", reset),
    Fault("links slow", slow),
    Fault("links sliced", slice_),
    Fault(PULLED, pull),
]
