"""Faults of Redis, MariaDB and SQLite."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress

from chaos.faults.fault import Fault, Scene, freeze
from chaos.stage import Rows, SQLRefused, Stage
from realtime.batches import IMPATIENT_SECONDS
from tests.with_servers import Server

SECONDS_REDIS_FROZEN = 15
SECONDS_MARIADB_FROZEN = 20
SECONDS_LOCKED = 10
SECONDS_OF_STRIFE = 5
SECONDS_TO_A_DEADLOCK = 30
STRANGERS_IN_A_ROW = 5
DEADLOCKS = 3


async def kill_redis(scene: Scene) -> None:
    """SIGKILL; back, and empty, after a moment."""
    await _kill(scene.stage.redis, scene.dice.uniform(1, 5))


async def freeze_redis(scene: Scene) -> None:
    assert scene.stage.redis
    await freeze(scene.stage.redis.process, SECONDS_REDIS_FROZEN)


async def flush_redis(scene: Scene) -> None:
    """FLUSHALL, and every client connection killed, the subscribers' first."""
    assert scene.stage.redis
    for command in ("FLUSHALL", "CLIENT KILL TYPE pubsub", "CLIENT KILL TYPE normal"):
        await asyncio.to_thread(_redis, scene.stage.redis.port, command)


def _redis(port: int, command: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"{command}\r\n".encode())
        connection.recv(64)


async def kill_mariadb(scene: Scene) -> None:
    """SIGKILL; it recovers from its log when it is started again."""
    await _kill(scene.stage.mariadb, scene.dice.uniform(0.5, 3))


async def _kill(server: Server | None, seconds: float) -> None:
    assert server
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(server.start)


async def freeze_mariadb(scene: Scene) -> None:
    assert scene.stage.mariadb
    await freeze(scene.stage.mariadb.process, SECONDS_MARIADB_FROZEN)


async def kill_connections(scene: Scene) -> None:
    """KILL for every connection of the servers, again and again: some are in their COMMIT."""
    await asyncio.to_thread(_kill_connections, scene.stage, SECONDS_OF_STRIFE)


def _kill_connections(stage: Stage, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    with stage.sql_session() as execute:
        while time.monotonic() < deadline:
            _kill_all(stage, execute)
            time.sleep(0.3)


def _kill_all(stage: Stage, execute: Callable[[str], Rows]) -> None:
    assert stage.mariadb
    for (id_,) in execute(
        f"SELECT id FROM information_schema.processlist WHERE user = '{stage.mariadb.user}'"
    ):
        with suppress(SQLRefused):  # it may be gone by itself
            execute(f"KILL {id_}")


async def refuse_connections(scene: Scene) -> None:
    """`Too many connections`: those that are lost can't be opened again for a while."""
    await asyncio.to_thread(_refuse_connections, scene.stage)


def _refuse_connections(stage: Stage) -> None:
    with stage.sql_session() as execute:
        ((before,),) = execute("SELECT @@max_connections")
        execute("SET GLOBAL max_connections = 10")
        _kill_all(stage, execute)
        time.sleep(SECONDS_OF_STRIFE)
        execute(f"SET GLOBAL max_connections = {before}")


async def deadlock(scene: Scene) -> None:
    """A stranger locks the streams in the wrong order, until some have met it head-on."""
    found = await asyncio.to_thread(_deadlock, scene.stage)
    scene.history.counts["deadlocks"] += found
    if not found:
        scene.history.breach("faults_happen", "there was no deadlock")


def _deadlock(stage: Stage) -> int:
    before = _deadlocks(stage)
    deadline = time.monotonic() + SECONDS_TO_A_DEADLOCK
    streams = [
        id_
        for (id_,) in stage.sql("SELECT id FROM eventlog_stream WHERE name LIKE 'room:%' ORDER BY id DESC")
    ]
    # Slowly, so that others get between.
    locks = [f"SELECT id, SLEEP(0.02) FROM eventlog_stream WHERE id = {id_} FOR UPDATE" for id_ in streams]
    while (found := _deadlocks(stage) - before) < DEADLOCKS and time.monotonic() < deadline:
        # Who has just found a lock taken waits for none, and so meets no deadlock.
        time.sleep(IMPATIENT_SECONDS + 1)
        for _ in range(STRANGERS_IN_A_ROW):
            with suppress(SQLRefused):  # it may be the victim itself
                stage.sql("SET SESSION innodb_lock_wait_timeout = 1", "BEGIN", *locks)
            time.sleep(0.05)
    return found


def _deadlocks(stage: Stage) -> int:
    ((count,),) = stage.sql(
        "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'"
    )
    return int(count)


async def hold_a_lock(scene: Scene) -> None:
    """A stranger locks one room's stream and does nothing."""
    room = scene.dice.choice(scene.dice.choice(scene.clients).rooms)
    await asyncio.to_thread(
        scene.stage.sql,
        "BEGIN",
        f"SELECT id FROM eventlog_stream WHERE name = 'room:{room}' FOR UPDATE",
        f"SELECT SLEEP({SECONDS_LOCKED})",
    )


async def lock_sqlite(scene: Scene) -> None:
    """Another program has begun to write, and does not come to an end."""
    await asyncio.to_thread(_lock_sqlite, scene.stage)


def _lock_sqlite(stage: Stage) -> None:
    assert stage.sqlite
    connection = sqlite3.connect(stage.sqlite, timeout=10, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(SECONDS_LOCKED)
        connection.execute("ROLLBACK")
    finally:
        connection.close()


REDIS = [
    Fault("kill -9 redis", kill_redis),
    Fault("SIGSTOP redis", freeze_redis),
    Fault("redis flushed", flush_redis),
]
MARIADB = [
    Fault("kill -9 mariadb", kill_mariadb),
    Fault("SIGSTOP mariadb", freeze_mariadb),
    Fault("KILL connections", kill_connections),
    Fault("too many connections", refuse_connections),
    Fault("deadlocks", deadlock),
    Fault("room locked", hold_a_lock),
]
SQLITE = [Fault("sqlite locked", lock_sqlite)]
