"""Runs a command with a private MariaDB and a private Redis: `python tests/with_servers.py pytest -n 2`.

Both listen on free loopback ports and live in a directory that goes away at the end. The command finds them in
DATABASE_URL and REDIS_URL. Works as root and as any user; touches no server that is already there.
The classes are also what fault tests start, kill and restart.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Self

# Debian keeps daemons in sbin, which is not on everybody's PATH.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
START_SECONDS = 30
STOP_SECONDS = 20


class ServerError(Exception):
    """A server can't be had; the message names the cure."""


def program(name: str, *, package: str) -> str:
    """The path of an installed program. Raises: ServerError, with the Debian package that brings it."""
    if path := shutil.which(name, path=SEARCH_PATH):
        return path
    raise ServerError(f"{name} is not installed. On Debian or Ubuntu: apt-get install {package}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server(ABC):
    """A server process with its own directory and port. Both outlive `kill` and `restart`; `close` ends them."""

    name: str

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix=f"chat-{self.name}-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def start(self) -> None:
        """Returns when the server answers. Raises: ServerError, with the end of its log."""
        with self.log.open("ab") as log:
            # In a session of its own: Ctrl-C in the terminal is for the command, which still needs the servers.
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.name} did not start:\n{self.log_tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """An orderly end, or a kill if that takes too long."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """SIGKILL: no orderly end, no last words. Works on a stopped (SIGSTOP) process, too."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    def log_tail(self, lines: int = 20) -> str:
        return (
            "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""
        )

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            # A server that is still starting may not hear an orderly request to stop.
            self.kill()
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class MariaDB(Server):
    """Keeps what a committed transaction wrote through `kill`, like a production server."""

    name = "mariadb"
    user = "chat"
    password = "chat"
    database = "chat"

    @property
    def url(self) -> str:
        return f"mysql://{self.user}:{self.password}@127.0.0.1:{self.port}/{self.database}"

    @property
    def socket(self) -> Path:
        return self.directory / "s"  # short: a path of a socket has at most 107 bytes

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def as_user(self) -> list[str]:
        # Run by root, both programs refuse to stay root unless told that it is meant.
        return ["--user=root"] if os.geteuid() == 0 else []

    @property
    def command(self) -> list[str]:
        return [
            program("mariadbd", package="mariadb-server"),
            "--no-defaults",
            *self.as_user,
            f"--datadir={self.data}",
            f"--socket={self.socket}",
            f"--pid-file={self.directory / 'pid'}",
            f"--tmpdir={self.directory}",
            f"--init-file={self.directory / 'init.sql'}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--max-connections=300",
            # What a production server needs too; the databases that tests create inherit them.
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_uca1400_ai_ci",
            # Only speed: a commit is written at once but synced to the disk once a second, so it outlives a
            # kill of the server, not a power cut. The rest keeps its production value.
            "--innodb-flush-log-at-trx-commit=2",
            # Only memory: two test processes, small tables.
            "--innodb-buffer-pool-size=64M",
        ]

    def start(self) -> None:
        if not self.data.exists():
            self.create_data()
        super().start()

    def create_data(self) -> None:
        (self.directory / "init.sql").write_text(
            f"CREATE DATABASE IF NOT EXISTS {self.database};\n"
            f"CREATE USER IF NOT EXISTS '{self.user}'@'127.0.0.1' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO '{self.user}'@'127.0.0.1';\n"
        )
        command = [
            program("mariadb-install-db", package="mariadb-server"),
            "--no-defaults",
            *self.as_user,
            f"--datadir={self.data}",
            # A server that starts removes what others have in the same place.
            f"--tmpdir={self.directory}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        # A shell script that runs a server: the session of its own lets both be ended at once. PATH is for the
        # script, which looks for the server by itself.
        made = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PATH": SEARCH_PATH},
            start_new_session=True,
        )
        try:
            output, _ = made.communicate()
        except BaseException:
            os.killpg(made.pid, signal.SIGKILL)
            made.communicate()
            raise
        if made.returncode:
            raise ServerError(f"mariadb-install-db failed:\n{output[-2000:]}")

    def answers(self) -> bool:
        admin = program("mariadb-admin", package="mariadb-server")
        ping = [admin, "--no-defaults", f"--socket={self.socket}", "--connect-timeout=2", "ping"]
        return subprocess.run(ping, check=False, capture_output=True).returncode == 0


class Redis(Server):
    """Keeps nothing: after a restart it is empty."""

    name = "redis"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def command(self) -> list[str]:
        return [
            program("redis-server", package="redis-server"),
            *("--bind", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--save", "", "--appendonly", "no"),
            *("--databases", "64"),  # one for each test process
            *("--dir", str(self.directory)),
        ]

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def run(command: list[str]) -> int:
    """The exit code of the command, as a shell gives it: 128 + n when signal n ended it."""

    def leave(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    with ExitStack() as servers:
        mariadb = servers.enter_context(MariaDB())
        redis = servers.enter_context(Redis())
        child = subprocess.Popen(
            command, env={**os.environ, "DATABASE_URL": mariadb.url, "REDIS_URL": redis.url}
        )

        def interrupt(*_: object) -> None:
            # Ctrl-C reaches the command from the terminal itself; a second one would cut its clean-up short.
            if not sys.stdin.isatty():
                child.send_signal(signal.SIGINT)

        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        code = child.wait()
        return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("Usage: python tests/with_servers.py COMMAND [ARGUMENT…]")
    try:
        sys.exit(run(sys.argv[1:]))
    except (ServerError, FileNotFoundError) as error:
        sys.exit(str(error))
