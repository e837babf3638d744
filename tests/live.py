"""Real server processes for tests, and a client of their sockets."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
import websockets
from django.db import connections

from tests.with_servers import free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
RECEIVE_SECONDS = 15


def database_url() -> str:
    """The test database of this process, as a server process is told of it."""
    database = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return "mysql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


class LiveServer:
    """A server process of ours on a free port: `uvicorn`, as in production, or `daphne`, as in development.

    Args:
        kind: which of the two.
        environment: variables that differ from the defaults of tests.
    """

    def __init__(self, kind: str = "uvicorn", **environment: str) -> None:
        self.kind = kind
        self.command = [sys.executable, "-m", "chatproject.serve"]
        self.port = free_port()
        self.environment = {
            "DEBUG": "true",
            "ENV_FILE": "",
            "DATABASE_URL": environment.get("DATABASE_URL") or database_url(),
            "HEAD_POLL_SECONDS": "1",
            "ECHO_BOT": "false",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.log = Path(tempfile.mkstemp(prefix=f"chat-{kind}-", suffix=".log")[1])
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def start(self) -> Self:
        """Returns when the server answers."""
        command = self.command
        if self.kind == "daphne":
            command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port)]
            beat = self.environment.get("WS_HEARTBEAT_SECONDS", "20")
            command += ["--ping-interval", beat, "--ping-timeout", beat, "--access-log", os.devnull]
            command += ["chatproject.asgi:application"]
        with self.log.open("ab") as log:
            environment = {**os.environ, **self.environment, "DJANGO_SETTINGS_MODULE": "chatproject.settings"}
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx.get(f"{self.http}/health/live", timeout=2).raise_for_status()
            except httpx.HTTPError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{self.kind} did not start:\n{self.log.read_text()}") from None
                time.sleep(0.05)
            else:
                return self

    def kill(self) -> None:
        """SIGKILL: no clean-up, no last words."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, as a deployment does it."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def close(self) -> None:
        self.stop()
        self.log.unlink(missing_ok=True)


class Person:
    """Someone registered over REST, who then talks to the server as any client does."""

    def __init__(self, server: LiveServer, name: str) -> None:
        self.server = server
        # Shares no letters with user names: a random one can come too close to `name`-demo-2026.
        self.password = "worn-out-jumpy-tutor"
        self.username = f"{name}-{uuid4().hex[:10]}"
        body = {
            "username": self.username,
            "email": f"{self.username}@example.com",
            "password": self.password,
        }
        answer = httpx.post(f"{server.http}/api/v1/auth/register", json=body, timeout=30).json()
        self.id: str = answer["user"]["id"]
        self.token: str = answer["access"]
        self.refresh: str = answer["refresh"]

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A REST request as this person, to `/api/v1` + path."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        url = f"{self.server.http}/api/v1{path}"
        return httpx.request(method, url, headers=headers, timeout=30, **options)

    def direct_room_with(self, other: Person) -> str:
        """The id of the direct room of the two."""
        return str(self.call("POST", "/rooms/direct", json={"user_id": other.id}).json()["id"])

    def group(self, *members: Person, **fields: Any) -> str:
        """The id of a new group."""
        body = {"name": "Group", "member_ids": [member.id for member in members], **fields}
        return str(self.call("POST", "/rooms", json=body).json()["id"])

    def socket(self, server: LiveServer | None = None, **options: Any) -> Socket:
        """A socket with the token in its header; `options` go to `websockets.connect`."""
        options.setdefault("additional_headers", {"Authorization": f"Bearer {self.token}"})
        return Socket((server or self.server).ws, **options)


class Socket:
    """A client's socket: `async with person.socket() as socket`. Frames are dicts.

    Those of presence come whenever somebody's socket does: they are kept apart, in `presences`.
    """

    def __init__(self, url: str, **options: Any) -> None:
        # Without max_queue=None the library stops reading at 16 frames, and then takes 10 s to close.
        self._connect = websockets.connect(url, **{"max_size": None, "max_queue": None, **options})
        self.frames: list[dict[str, Any]] = []
        self.presences: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        self.raw = await self._connect.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._connect.__aexit__(*error)

    async def send(self, type_: str, data: Any = None, **rest: Any) -> None:
        await self.raw.send(json.dumps({"type": type_, "data": {} if data is None else data, **rest}))

    async def receive(self) -> dict[str, Any]:
        """The next frame that isn't of presence, whatever it is."""
        while (frame := await self._next())["type"] == "presence":
            self.presences.append(frame)
        self.frames.append(frame)
        return frame

    async def next_presence(self) -> dict[str, Any]:
        """The data of the next frame of presence; others are kept in `frames`."""
        while (frame := await self._next())["type"] != "presence":
            self.frames.append(frame)
        self.presences.append(frame)
        return dict(frame["data"])

    async def _next(self) -> dict[str, Any]:
        # Needs Django's settings, which whoever only wants a server has not.
        from tests.documented import documented

        return documented(json.loads(await asyncio.wait_for(self.raw.recv(), RECEIVE_SECONDS)))

    async def until(self, type_: str, **data: Any) -> dict[str, Any]:
        """The next frame of that type, whose data has these values; others are kept in `frames`."""
        while True:
            frame = await self.receive()
            if frame["type"] == type_ and all(frame["data"].get(k) == v for k, v in data.items()):
                return frame

    async def ask(self, type_: str, data: Any = None, **rest: Any) -> dict[str, Any]:
        """Send a request and wait for its `ack`, `error` or other answer with the same id."""
        id_ = rest.pop("id", uuid4().hex)
        await self.send(type_, data, id=id_, **rest)
        while True:
            frame = await self.receive()
            if frame.get("id") == id_:
                return frame

    async def nothing_for(self, seconds: float = 1.5) -> None:
        """Fails if a frame comes in the next seconds, other than of presence."""
        try:
            frame = await asyncio.wait_for(self.receive(), seconds)
        except TimeoutError:
            return
        raise AssertionError(f"Unexpected frame: {frame}")

    async def closed(self) -> int:
        """The code with which the server closes; frames that come before are kept in `frames`."""
        try:
            while True:
                await self.receive()
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
