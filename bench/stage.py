"""Servers of a run: MariaDB and Redis of its own, ours and the baselines, and what they cost."""

from __future__ import annotations

import os
import resource
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from tests.with_servers import MariaDB, Redis, free_port

ROOT = Path(__file__).resolve().parent.parent
BASELINES = ROOT / "bench" / "baselines"
START_SECONDS = 30
DESCRIPTORS = 16_384


class Process:
    """A server process on a port of its own."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], port: int) -> None:
        self.name = name
        self.port = port
        self.log = Path(tempfile.mkstemp(prefix=f"bench-{name}-", suffix=".log")[1])
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{self.name} did not start:\n{self.log.read_text()[-2000:]}") from None
                time.sleep(0.05)
            else:
                return

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far, of all its threads."""
        return cpu_of(self._process.pid)

    @property
    def resident(self) -> int:
        """Bytes of memory that it holds."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()

    def close(self) -> None:
        self._process.kill()  # nothing of it is needed any more, and an orderly end takes seconds
        self._process.wait()
        self.log.unlink(missing_ok=True)


def cpu_of(pid: int) -> float:
    # Linux's clock of another process, in nanoseconds: clock_getcpuclockid(3). /proc counts in hundredths.
    return time.clock_gettime((~pid << 3) | 2)


class Stage:
    """MariaDB and Redis, and what is started on them. The environment of this process is set to them as well."""

    def __init__(self) -> None:
        self.mariadb = MariaDB()
        self.redis = Redis()
        self._stack = ExitStack()
        self._directory = Path(tempfile.mkdtemp(prefix="chat-bench-"))

    def __enter__(self) -> Self:
        limit = min(DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        self._stack.enter_context(self.mariadb)
        self._stack.enter_context(self.redis)
        os.environ |= {
            # As in production, but that nobody is limited.
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
            "ENV_FILE": "",
            "DATABASE_URL": self.mariadb.url,
            "REDIS_URL": self.redis.url,
            "LOG_LEVEL": "WARNING",
            "HOST": "127.0.0.1",
            "ECHO_BOT": "false",
            "MESSAGES_PER_SECOND": "100000",
            "MESSAGE_BURST": "1000000",
            "LOGINS_PER_SECOND": "100000",
            "LOGIN_BURST": "1000000",
            "READS_PER_SECOND": "100000",
            "READ_BURST": "1000000",
            "WRITES_PER_SECOND": "100000",
            "WRITE_BURST": "1000000",
            "WS_FRAMES_PER_SECOND": "100000",
            "WS_FRAME_BURST": "1000000",
            "DJANGO_SETTINGS_MODULE": "chatproject.settings",
            # This process fills the database between measurements: its loop may wait for that.
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    @contextmanager
    def another_database(self, name: str) -> Iterator[None]:
        """Inside, this process and the servers that it starts use a new one on the same MariaDB."""
        from django.core.management import call_command
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        first, url = connection.settings_dict["NAME"], os.environ["DATABASE_URL"]
        connection.close()
        connection.settings_dict["NAME"] = name
        os.environ["DATABASE_URL"] = url.rpartition("/")[0] + f"/{name}"
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"], os.environ["DATABASE_URL"] = first, url

    @contextmanager
    def ours(self, name: str = "ours", **environment: str) -> Iterator[Process]:
        with self._process(name, [sys.executable, "-m", "chatproject.serve"], environment) as process:
            yield process

    @contextmanager
    def tutorial(self) -> Iterator[Process]:
        port = free_port()
        command = [
            sys.executable,
            "-m",
            "daphne",
            "-b",
            "127.0.0.1",
            "-p",
            str(port),
            "--access-log",
            os.devnull,
        ]
        with self._process(
            "tutorial", [*command, "bench.baselines.tutorial:application"], {}, port
        ) as process:
            yield process

    @contextmanager
    def rest(self) -> Iterator[Process]:
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "--port", str(port), "--no-access-log"]
        settings = {"DJANGO_SETTINGS_MODULE": "bench.baselines.rest_settings"}
        with self._process("rest", [*command, "bench.baselines.rest:application"], settings, port) as process:
            yield process

    @contextmanager
    def floor(self, frame: bytes) -> Iterator[Process]:
        """Writes `frame`, a whole WebSocket message, to all."""
        port = free_port()
        path = self._directory / "frame"
        path.write_bytes(frame)
        command = [sys.executable, "-m", "bench.baselines.floor", str(port), str(path)]
        with self._process("floor", command, {}, port) as process:
            yield process

    @contextmanager
    def node(self, script: str) -> Iterator[Process]:
        port = free_port()
        with self._process(
            script, ["node", str(BASELINES / f"{script}.mjs"), str(port)], {}, port
        ) as process:
            yield process

    @contextmanager
    def _process(
        self, name: str, command: list[str], environment: dict[str, str], port: int | None = None
    ) -> Iterator[Process]:
        port = port or free_port()
        process = Process(
            name,
            command,
            {**os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE": "", "PORT": str(port), **environment},
            port,
        )
        try:
            yield process
        finally:
            process.close()


def install_node_servers() -> str | None:
    """Put the packages of the node servers beside them. None, or why they can't be had."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "node and npm are not installed"
    if (BASELINES / "node_modules" / "socket.io").exists():
        return None
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
    done = subprocess.run(command, cwd=BASELINES, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"npm install failed: {(done.stderr or done.stdout)[-300:]}"
