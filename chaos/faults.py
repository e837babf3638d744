"""What the nemesis does. A fault begins, lasts, and heals; the system must hold through all three."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from chaos.stage import Stage

SECONDS_STOPPED = 10


class Fault(NamedTuple):
    """`run` breaks something and returns when it is whole again."""

    name: str
    run: Callable[[Stage, random.Random], Awaitable[None]]


async def kill_web(stage: Stage, dice: random.Random) -> None:
    """SIGKILL; started again after a moment."""
    web = dice.choice(stage.webs)
    await asyncio.to_thread(web.kill)
    await asyncio.sleep(dice.uniform(0.5, 2))
    await asyncio.to_thread(web.start)


async def stop_web(stage: Stage, dice: random.Random) -> None:
    """SIGTERM, as a rolling restart does it."""
    web = dice.choice(stage.webs)
    await asyncio.to_thread(web.stop)
    await asyncio.to_thread(web.start)


async def freeze_web(stage: Stage, dice: random.Random) -> None:
    """SIGSTOP: the process is there, and does nothing."""
    web = dice.choice(stage.webs)
    if web.process:
        await _freeze(web.process)


async def kill_redis(stage: Stage, dice: random.Random) -> None:
    """SIGKILL; back, and empty, after a moment."""
    if stage.redis:
        await asyncio.to_thread(stage.redis.kill)
        await asyncio.sleep(dice.uniform(1, 5))
        await asyncio.to_thread(stage.redis.start)


async def freeze_redis(stage: Stage, dice: random.Random) -> None:
    if stage.redis and stage.redis.process:
        await _freeze(stage.redis.process)


async def flush_redis(stage: Stage, dice: random.Random) -> None:
    """FLUSHALL, and every client connection killed."""
    if stage.redis:
        for command in ("FLUSHALL", "CLIENT KILL TYPE pubsub", "CLIENT KILL TYPE normal"):
            await asyncio.to_thread(_redis, stage.redis.port, command)


async def kill_mariadb(stage: Stage, dice: random.Random) -> None:
    """SIGKILL; it recovers from its log when it is started again."""
    if stage.mariadb:
        await asyncio.to_thread(stage.mariadb.kill)
        await asyncio.sleep(dice.uniform(0.5, 3))
        await asyncio.to_thread(stage.mariadb.start)


async def freeze_mariadb(stage: Stage, dice: random.Random) -> None:
    if stage.mariadb and stage.mariadb.process:
        await _freeze(stage.mariadb.process)


async def _freeze(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(SECONDS_STOPPED)
    finally:
        process.send_signal(signal.SIGCONT)


def _redis(port: int, command: str) -> None:

    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"{command}\r\n".encode())
        connection.recv(64)


EMBEDDED = [Fault("kill -9 web", kill_web), Fault("SIGTERM web", stop_web), Fault("SIGSTOP web", freeze_web)]
CLUSTER = [
    *EMBEDDED,
    Fault("kill -9 redis", kill_redis),
    Fault("SIGSTOP redis", freeze_redis),
    Fault("FLUSHALL and drop redis clients", flush_redis),
    Fault("kill -9 mariadb", kill_mariadb),
    Fault("SIGSTOP mariadb", freeze_mariadb),
]
