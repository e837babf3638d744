"""A client as the protocol wants one: cursors, resume, repeats under the same id, backoff with jitter."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import httpx
import websockets

from chaos.history import History, Send
from tests.live import LiveServer

PATIENCE = 5
"""Seconds without an ack after which a client takes its socket for dead."""


class Client:
    """One user on one device, talking in its rooms until told to stop, then listening until complete."""

    def __init__(self, name: str, history: History, dice: random.Random) -> None:
        self.name = name
        self.history = history
        self.dice = dice
        self.token = ""
        self.id = ""
        self.rooms: list[str] = []
        self.cursors: dict[str, int] = {}
        self.talking = True
        self.pause = 0.05
        self._unacked: Send | None = None
        self._acked = asyncio.Event()
        self._count = 0

    async def register(self, server: LiveServer) -> None:
        body = {"username": self.name, "email": f"{self.name}@example.com", "password": "correct-horse-42"}
        answer = await call(server, "POST", "/auth/register", json=body)
        self.token, self.id = answer["access"], answer["user"]["id"]

    def follow(self, room: str) -> None:
        self.rooms.append(room)
        self.cursors[f"room:{room}"] = 0
        self.history.received[self.name, room] = []

    async def live(self, servers: list[LiveServer]) -> None:
        """Connect, resume, talk and listen, over and over, until cancelled."""
        delay = 0.1
        while True:
            server = self.dice.choice(servers)
            try:
                async with websockets.connect(server.ws, open_timeout=5, close_timeout=1) as socket:
                    await self._session(socket)
                    delay = 0.1
            except (OSError, TimeoutError, websockets.WebSocketException):
                pass
            await asyncio.sleep(self.dice.uniform(0, delay))  # full jitter
            delay = min(delay * 2, 2)

    async def _session(self, socket: Any) -> None:
        auth = {"type": "auth", "data": {"token": self.token, "cursors": self.cursors}}
        await socket.send(json.dumps(auth))
        talk = asyncio.create_task(self._talk(socket))
        try:
            while not talk.done():
                self._take(json.loads(await asyncio.wait_for(socket.recv(), PATIENCE * 2)))
        finally:
            talk.cancel()

    async def _talk(self, socket: Any) -> None:
        """One message at a time, so that a sender's order has a meaning; ends when an ack does not come."""
        while True:
            if self._unacked is None:
                if not self.talking or not self.rooms:
                    await asyncio.sleep(0.2)
                    await socket.send('{"type": "ping"}')
                    continue
                self._unacked = self._next()
            else:
                self._unacked.attempts += 1
            send = self._unacked
            self._acked.clear()
            data = {
                "room_id": send.room,
                "content": send.content,
                "client_message_id": send.client_message_id,
            }
            await socket.send(json.dumps({"type": "message", "id": send.client_message_id, "data": data}))
            await asyncio.wait_for(self._acked.wait(), PATIENCE)
            await asyncio.sleep(self.dice.uniform(0, 2 * self.pause))

    def _next(self) -> Send:
        self._count += 1
        id_ = f"{self.name}-{self._count}"
        send = Send(id_, self.dice.choice(self.rooms), self.id, f"message {id_}", time.monotonic())
        self.history.sends[id_] = send
        return send

    def _take(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "ack" if "message_id" in frame["data"]:
                self._take_ack(frame["data"])
            case "error":
                self.history.count_error(frame["data"]["code"])
                # Refused for now: the same message again, in a moment.
                asyncio.get_running_loop().call_later(0.2, self._acked.set)
            case "resync_required":
                self.history.violations.append(f"{self.name} was told resync_required: {frame['data']}")
            case _ if "pos" in frame and frame["stream"] in self.cursors:
                self._take_event(frame)

    def _take_ack(self, data: dict[str, Any]) -> None:
        send = self.history.sends[data["client_message_id"]]
        if send.seq not in (None, data["seq"]):
            self.history.violations.append(f"{send.client_message_id}: acked as {send.seq} and {data['seq']}")
        send.seq, send.pos = data["seq"], data["pos"]
        send.acked = send.acked or time.monotonic()
        if self._unacked is send:
            self._unacked = None
            self._acked.set()

    def _take_event(self, frame: dict[str, Any]) -> None:
        stream, pos = frame["stream"], frame["pos"]
        if pos != self.cursors[stream] + 1:
            self.history.violations.append(f"{self.name} got {stream} {pos} after {self.cursors[stream]}")
        self.cursors[stream] = pos
        if frame["type"] == "message":
            room = frame["data"]["room_id"]
            self.history.received[self.name, room].append(frame)
            send = self.history.sends.get(frame["data"]["client_message_id"])
            if send:
                now = time.monotonic()
                self.history.deliveries.append((now, now - send.began))


async def call(server: LiveServer, method: str, path: str, token: str = "", **options: Any) -> Any:
    """A REST request that must succeed."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.request(method, f"{server.http}/api/v1{path}", headers=headers, **options)
    answer.raise_for_status()
    return answer.json() if answer.content else None
