"""The cast of socket tests, and what they do and see."""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from django.db import connections
from django.utils import timezone
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.uri import parse_uri

from accounts import tokens
from accounts.models import Session, User
from tests.live import LiveServer, Person, Socket

R = TypeVar("R")

WINDOW = 64
"""Sends of `send_messages` under way at once: fewer than any buffer between the two ends holds."""


class Insider(Person):
    """A person who is simply there: registration hashes a password, which is slow on purpose."""

    def __init__(self, server: LiveServer, name: str) -> None:
        self.server = server
        self.username = f"{name}-{uuid4().hex[:10]}"
        user = in_thread(User.objects.create_user, self.username, f"{self.username}@example.com")
        self.id = str(user.id)
        self._log_in(user)

    def other_device(self) -> Insider:
        """The same person with a session of their own on another device."""
        device = object.__new__(Insider)
        device.server, device.username, device.id = self.server, self.username, self.id
        device._log_in(in_thread(User.objects.get, id=self.id))
        return device

    def _log_in(self, user: User) -> None:
        ends = timezone.now() + timedelta(days=1)
        session = in_thread(Session.objects.create, user=user, refresh_id=uuid4(), expires_at=ends)
        self.token, self.refresh, _ = tokens.issue(session)


def in_thread(work: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Database work of a coroutine: Django lets it do none in its own thread."""

    def run() -> R:
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


def small_socket(server: LiveServer) -> sockets.socket:
    """A TCP connection whose kernel takes in little that nobody reads."""
    small = sockets.socket()
    small.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 8192)
    small.connect(("127.0.0.1", server.port))
    small.setblocking(False)
    return small


async def shaken_hands(person: Insider, line: sockets.socket) -> ClientProtocol:
    """A client that has got in on that line. It sends what a test takes out of it, and so no pong by itself."""
    loop = asyncio.get_running_loop()
    client = ClientProtocol(parse_uri(person.server.ws))
    handshake = client.connect()
    handshake.headers["Authorization"] = f"Bearer {person.token}"
    client.send_request(handshake)
    await loop.sock_sendall(line, b"".join(client.data_to_send()))
    while client.state is State.CONNECTING:
        client.receive_data(await loop.sock_recv(line, 65_536))
    return client


async def send_messages(
    socket: Socket, room: str, count: int, content: Callable[[int], str] = "message {}".format
) -> list[dict[str, Any]]:
    """Send messages and wait for their acks, whose data is returned in the order of the sends."""
    prefix = uuid4().hex[:12]
    acks: dict[str, dict[str, Any]] = {}
    sent = 0
    while len(acks) < count:
        while sent < count and sent - len(acks) < WINDOW:
            await socket.send("message", {"room_id": room, "content": content(sent)}, id=f"{prefix}-{sent}")
            sent += 1
        frame = await socket.receive()
        if frame.get("id", "").startswith(prefix):
            assert frame["type"] == "ack", frame
            acks[frame["id"]] = frame["data"]
    return [acks[f"{prefix}-{number}"] for number in range(count)]


async def keep_sending(socket: Socket, room: str, enough: asyncio.Event) -> int:
    """Send messages without a pause until `enough`, and some more; the position of the last one."""
    while True:
        last_round = enough.is_set()
        acks = await send_messages(socket, room, WINDOW)
        if last_round:
            return int(acks[-1]["pos"])


async def sight(socket: Socket, type_: str, **data: Any) -> dict[str, Any]:
    """The first frame of that type with these data, received already or yet to come."""
    for frame in socket.frames:
        if frame["type"] == type_ and all(frame["data"].get(key) == value for key, value in data.items()):
            return frame
    return await socket.until(type_, **data)


def events(socket: Socket, stream: str) -> list[dict[str, Any]]:
    """The kept events of a stream that the socket has received so far, in order of arrival."""
    return [frame for frame in socket.frames if frame.get("stream") == stream and "pos" in frame]


def positions(socket: Socket, stream: str) -> list[int]:
    return [event["pos"] for event in events(socket, stream)]


async def until_position(socket: Socket, stream: str, position: int) -> list[dict[str, Any]]:
    """All events of the stream, once that position is among them."""
    while position not in positions(socket, stream):
        await socket.receive()
    return events(socket, stream)


async def everything(socket: Socket) -> None:
    """Receive what the server has sent so far: the pong comes after it."""
    await socket.ask("ping")


async def say(person: Insider, room: str, count: int) -> None:
    """Messages from a socket that nobody looks at."""
    async with person.socket() as socket:
        await send_messages(socket, room, count)


async def come_back(socket: Socket, person: Insider, cursors: dict[str, Any]) -> dict[str, Any]:
    """`auth` with cursors; the `resumed` frame's data."""
    ready = await socket.ask("auth", {"token": person.token, "cursors": cursors})
    assert ready["type"] == "ready", ready
    return (await socket.until("resumed"))["data"]


def runs(numbers: list[int]) -> list[list[int]]:
    """The numbers cut where they don't go on by one."""
    cut: list[list[int]] = []
    for number in numbers:
        if cut and number == cut[-1][-1] + 1:
            cut[-1].append(number)
        else:
            cut.append([number])
    return cut


async def eventually_in_database(condition: Callable[[], object]) -> None:
    """For what a server writes without telling."""
    async with asyncio.timeout(20):
        while not in_thread(condition):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
