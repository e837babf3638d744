"""The system under fire: server processes with their database and Redis, or one process on SQLite."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from chaos import switches
from chaos.link import Link
from tests.live import ROOT, LiveServer
from tests.with_servers import MariaDB, Redis

STAFF = "referee"
PASSWORD = "correct-horse-42"

ENVIRONMENT = {
    # Short enough for a run to see what they do.
    "HEAD_POLL_SECONDS": "1",
    "WS_DRAIN_SECONDS": "2",
    "WS_HEARTBEAT_SECONDS": "8",
    "ACCESS_TOKEN_SECONDS": "75",
    # As outside DEBUG.
    "MESSAGES_PER_SECOND": "20",
    "MESSAGE_BURST": "40",
    "WS_FRAMES_PER_SECOND": "100",
    "WS_FRAME_BURST": "200",
    # A crowd of few users.
    "WS_CONNECTIONS_PER_USER": "110",
}


Rows = list[tuple[Any, ...]]


class SQLRefused(Exception):
    """MariaDB chose another one to go on, or knows no such connection any more."""


class Web:
    """One server process and the link through which the clients reach it."""

    def __init__(self, number: int, breakage: str | None, environment: dict[str, str]) -> None:
        self.number = number
        self.server = LiveServer(**environment, **{switches.WEB: str(number)})
        self.server.command = [sys.executable, "-m", "chaos.server", *filter(None, [breakage])]
        self.link = Link(self.server.port)

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.link.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.link.port}/ws"

    @property
    def is_up(self) -> bool:
        return self.server.process is not None and self.server.process.poll() is None

    @property
    def is_stopped(self) -> bool:
        """Whether a SIGSTOP holds it."""
        state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"

    @property
    def pid(self) -> int:
        """Raises AssertionError while it is down."""
        assert self.server.process
        return self.server.process.pid

    async def restart_with(self, **environment: str) -> None:
        """Once more, in an orderly way, with these variables in place of those of the last time."""
        await asyncio.to_thread(self.server.stop)
        for name, value in environment.items():
            if value:
                self.server.environment[name] = value
            else:
                self.server.environment.pop(name, None)
        await asyncio.to_thread(self.server.start)


class Stage:
    """Starts everything of a profile; `webs`, `mariadb`, `redis` and `switches` are what faults act upon.

    Args:
        profile: `cluster` (two web processes, MariaDB, Redis) or `embedded` (one process on SQLite).
        breakage: one of `chaos.broken`, to run the server with.
        environment: variables for the servers, beyond those of every run.
    """

    def __init__(self, profile: str, breakage: str | None = None, **environment: str) -> None:
        self.profile = profile
        self.mariadb = MariaDB() if profile == "cluster" else None
        self.redis = Redis() if profile == "cluster" else None
        self.webs: list[Web] = []
        self.sqlite: Path | None = None
        self._breakage = breakage
        self._environment = ENVIRONMENT | environment
        self._stack = ExitStack()
        self._links = AsyncExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as started:
            directory = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="chat-chaos-")))
            self._switches = directory
            environment = {**self._environment, switches.DIRECTORY: str(directory), "REDIS_URL": ""}
            for server in (self.mariadb, self.redis):
                if server:
                    started.enter_context(server)
            if self.mariadb and self.redis:
                environment |= {"DATABASE_URL": self.mariadb.url, "REDIS_URL": self.redis.url}
            else:
                self.sqlite = directory / "db.sqlite3"
                environment["DATABASE_URL"] = f"sqlite:///{self.sqlite}"
            _manage(environment, "migrate", "--verbosity", "0")
            _manage(environment, "createsuperuser", "--noinput")
            for number in range(2 if self.profile == "cluster" else 1):
                web = Web(number, self._breakage, environment)
                started.callback(web.server.close)
                web.server.start()
                self.webs.append(web)
            self._stack = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    async def connect(self) -> None:
        """Open the links, in the loop that the clients live in."""
        for web in self.webs:
            await self._links.enter_async_context(web.link)

    async def disconnect(self) -> None:
        await self._links.aclose()

    def turn_on(self, switch: str, to: str = "on") -> None:
        switches.turn_on(self._switches, switch, to)

    def turn_off(self, switch: str) -> None:
        switches.turn_off(self._switches, switch)

    def sql(self, *statements: str) -> Rows:
        """Rows of the last statement, by a connection that is not the servers'. Raises SQLRefused."""
        with self.sql_session() as execute:
            return [execute(statement) for statement in statements][-1]

    @contextmanager
    def sql_session(self) -> Iterator[Callable[[str], Rows]]:
        """Runs statements on one connection; what is left open is rolled back. Raises SQLRefused."""
        import MySQLdb  # noqa: PLC0415 - the embedded profile does without

        assert self.mariadb
        connection = MySQLdb.connect(
            unix_socket=str(self.mariadb.socket), user="root", passwd="", db=self.mariadb.database
        )
        cursor = connection.cursor()

        def execute(statement: str) -> Rows:
            try:
                cursor.execute(statement)
            except MySQLdb.OperationalError as error:
                raise SQLRefused from error
            return list(cursor.fetchall())

        try:
            yield execute
        finally:
            connection.close()

    def logs(self) -> str:
        """What the web processes have logged, all of them."""
        return "".join(web.server.log.read_text(errors="replace") for web in self.webs)

    def resources(self) -> dict[str, int]:
        """What the web processes hold: KiB of memory, file descriptors, database connections."""
        held = {"memory_kib": 0, "descriptors": 0}
        for web in self.webs:
            process = Path(f"/proc/{web.pid}")
            held["descriptors"] += len(list((process / "fd").iterdir()))
            for line in (process / "status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    held["memory_kib"] += int(line.split()[1])
        if self.mariadb:
            user = self.mariadb.user
            rows = self.sql(f"SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{user}'")
            held["database_connections"] = int(rows[0][0])
        return held


def _manage(environment: dict[str, str], *arguments: str) -> None:
    superuser = {
        "DJANGO_SUPERUSER_USERNAME": STAFF,
        "DJANGO_SUPERUSER_EMAIL": f"{STAFF}@example.com",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    everything = {**os.environ, "DEBUG": "true", "ENV_FILE": "", **superuser, **environment}
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env=everything, check=True, stdout=subprocess.DEVNULL)
