"""Faults of the server processes."""

from __future__ import annotations

import asyncio
import resource
import time
from functools import partial
from pathlib import Path

from chaos import switches
from chaos.checker import LIVE_AGAIN_SECONDS
from chaos.faults.fault import Fault, Scene, freeze
from chaos.history import Kill
from chaos.stage import Web

SECONDS_FROZEN = 10
SECONDS_LOSSY = 8
SECONDS_WITHOUT_DESCRIPTORS = 6
SECONDS_OFF_THE_CLOCK = 8
SECONDS_TO_A_FAILPOINT = 15

POINTS = (switches.DIE_BEFORE_COMMIT, switches.DIE_BEFORE_ACK, switches.DIE_BEFORE_RING)

CLOCK = "clock off by an hour"
FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


async def kill(scene: Scene) -> None:
    """SIGKILL; started again after a moment."""
    await kill_and_start(scene, scene.busiest_web())


async def kill_and_start(scene: Scene, web: Web, *, within: float = LIVE_AGAIN_SECONDS) -> Kill:
    """SIGKILL, if it is not dead already, and a new process after a moment."""
    killed = time.monotonic()
    await asyncio.to_thread(web.server.kill)
    await asyncio.sleep(scene.dice.uniform(0.5, 2))
    started = asyncio.create_task(asyncio.to_thread(web.server.start))
    listens = await _listens(web.server.port)
    await started
    # Where there is one process only, nobody can be back before it listens.
    kill = Kill(web.number, killed, killed if len(scene.stage.webs) > 1 else listens, within)
    scene.history.kills.append(kill)
    return kill


async def _listens(port: int) -> float:
    """When that port was open."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return time.monotonic()


async def terminate(scene: Scene) -> None:
    """SIGTERM to one after the other, as a rolling restart does it."""
    for web in scene.stage.webs:
        await web.restart_with()


async def stop(scene: Scene) -> None:
    """SIGSTOP, perhaps in the middle of a transaction, which then keeps its locks."""
    await freeze(scene.busiest_web().server.process, SECONDS_FROZEN)


async def die_at(point: str, scene: Scene) -> None:
    """SIGKILL at the worst moments; started again as soon as it is gone."""
    web = scene.busiest_web()
    switch = switches.of_one(point, web.number)
    scene.stage.turn_on(switch, str(scene.dice.randint(1, 20)))
    deadline = time.monotonic() + SECONDS_TO_A_FAILPOINT
    while web.is_up and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    scene.stage.turn_off(switch)
    if web.is_up:
        scene.history.breach("faults_happen", f"process {web.number} never came to {point}")
    else:
        await kill_and_start(scene, web)


async def stop_before_commit(scene: Scene) -> None:
    """SIGSTOP while it holds the locks of rooms."""
    web = scene.busiest_web()
    switch = switches.of_one(switches.STOP_BEFORE_COMMIT, web.number)
    scene.stage.turn_on(switch, str(scene.dice.randint(1, 20)))
    deadline = time.monotonic() + SECONDS_TO_A_FAILPOINT
    while not web.is_stopped and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    scene.stage.turn_off(switch)
    if not web.is_stopped:
        scene.history.breach("faults_happen", f"process {web.number} did not stop before a commit")
    await freeze(web.server.process, SECONDS_FROZEN)


async def lose_rings(scene: Scene) -> None:
    """The channel layer loses, doubles, delays and reorders."""
    scene.stage.turn_on(switches.LOSSY_LAYER)
    await asyncio.sleep(SECONDS_LOSSY)
    scene.stage.turn_off(switches.LOSSY_LAYER)


async def run_out_of_descriptors(scene: Scene) -> None:
    """No file, no socket, no database connection can be opened; what is open goes on."""
    web = scene.dice.choice(scene.stage.webs)
    limits = resource.prlimit(web.pid, resource.RLIMIT_NOFILE)
    used = len(list(Path(f"/proc/{web.pid}/fd").iterdir()))
    resource.prlimit(web.pid, resource.RLIMIT_NOFILE, (used, limits[1]))
    web.link.reset(scene.dice, 0.5)  # who comes back finds it full
    await asyncio.sleep(SECONDS_WITHOUT_DESCRIPTORS)
    resource.prlimit(web.pid, resource.RLIMIT_NOFILE, limits)


async def change_the_clock(scene: Scene) -> None:
    """One process lives an hour before or behind the others."""
    web = scene.dice.choice(scene.stage.webs)
    shift = scene.dice.choice(["+1h", "-1h"])
    await web.restart_with(LD_PRELOAD=str(FAKETIME[0]), FAKETIME=shift, FAKETIME_DONT_FAKE_MONOTONIC="1")
    await asyncio.sleep(SECONDS_OFF_THE_CLOCK)
    await web.restart_with(LD_PRELOAD="", FAKETIME="", FAKETIME_DONT_FAKE_MONOTONIC="")


FAULTS = [
    Fault("kill -9 web", kill),
    Fault("rolling restart", terminate),
    Fault("SIGSTOP web", stop),
    *(Fault(point.replace("_", " "), partial(die_at, point)) for point in POINTS),
    Fault("stop before commit", stop_before_commit),
    Fault("lossy layer", lose_rings),
    Fault("no descriptors left", run_out_of_descriptors),
    *([Fault(CLOCK, change_the_clock)] if FAKETIME else []),
]
