"""The system under fire: server processes with their database and Redis, or one process on SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.live import ROOT, LiveServer
from tests.with_servers import MariaDB, Redis


class Stage:
    """Starts everything of a profile; `webs`, `mariadb` and `redis` are what faults act upon.

    Args:
        profile: `cluster` (two web processes, MariaDB, Redis) or `embedded` (one process on SQLite).
        breakage: one of `chaos.broken`, to run the server with.
        environment: variables for the web processes.
    """

    def __init__(self, profile: str, breakage: str | None = None, **environment: str) -> None:
        self.breakage = breakage
        self.profile = profile
        self.mariadb = MariaDB() if profile == "cluster" else None
        self.redis = Redis() if profile == "cluster" else None
        self.webs: list[LiveServer] = []
        self._environment = {"HEAD_POLL_SECONDS": "1", "WS_DRAIN_SECONDS": "2", **environment}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as started:
            for server in (self.mariadb, self.redis):
                if server:
                    started.enter_context(server)
            if self.mariadb and self.redis:
                self._environment |= {"DATABASE_URL": self.mariadb.url, "REDIS_URL": self.redis.url}
            else:
                directory = started.enter_context(tempfile.TemporaryDirectory(prefix="chat-chaos-"))
                self._environment |= {"DATABASE_URL": f"sqlite:///{directory}/db.sqlite3", "REDIS_URL": ""}
            self._migrate()
            for _ in range(2 if self.profile == "cluster" else 1):
                web = LiveServer(**self._environment)
                if self.breakage:
                    web.command = [sys.executable, "-m", "chaos.broken", self.breakage]
                started.callback(web.close)
                self.webs.append(web.start())
            self._stack = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _migrate(self) -> None:
        environment = {**os.environ, "DEBUG": "true", "ENV_FILE": "", **self._environment}
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)

    def logs(self) -> str:
        """What the web processes have logged, all of them."""
        return "".join(web.log.read_text(errors="replace") for web in self.webs)

    def resources(self) -> dict[str, int]:
        """What the living web processes hold: KiB of memory, and file descriptors."""
        held = {"memory_kib": 0, "descriptors": 0}
        for web in self.webs:
            if web.process and web.process.poll() is None:
                process = Path(f"/proc/{web.process.pid}")
                held["descriptors"] += len(list((process / "fd").iterdir()))
                for line in (process / "status").read_text().splitlines():
                    if line.startswith("VmRSS:"):
                        held["memory_kib"] += int(line.split()[1])
        return held
