"""The main job as a stranger would script it, from nothing but the documentation.

    python tests/stranger.py http://127.0.0.1:8080 [http://127.0.0.1:8081] [--messages 1000]

Registers two people, makes them friends, opens their direct room, and lets both send at once, each
over a socket of their own (on the second server, where one is given). Checks that both see seq and
pos 1, 2, 3, …, each once, and the same as history. Exits with 1 and a sentence if not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import websockets

WINDOW = 100
"""Sends of one person under way at once."""


class Broken(Exception):
    """The promise does not hold."""


@dataclass
class Person:
    """Someone with an account, an HTTP client and what their socket has shown so far."""

    name: str
    base: str
    http: httpx.AsyncClient = field(init=False)
    token: str = ""
    id: str = ""
    acks: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    async def register(self) -> None:
        self.http = httpx.AsyncClient(base_url=f"{self.base}/api/v1", timeout=30)
        username = f"{self.name}-{uuid4().hex[:12]}"
        body = {"username": username, "email": f"{username}@example.com", "password": f"{uuid4()}-Pw"}
        answer = await self.call("POST", "/auth/register", json=body)
        self.token, self.id = answer["access"], answer["user"]["id"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    async def call(self, method: str, path: str, **options: Any) -> Any:
        response = await self.http.request(method, path, **options)
        if response.is_error:
            raise Broken(f"{method} {path} answered {response.status_code}: {response.text}")
        return response.json() if response.content else None

    def connect(self) -> Any:
        url = self.base.replace("http", "ws", 1) + "/ws"
        return websockets.connect(url, additional_headers={"Authorization": f"Bearer {self.token}"})


async def talk(person: Person, socket: Any, room_id: str, messages: int, total: int) -> None:
    """Send `messages` and read until `total` events of the room and all acks are there."""
    window = asyncio.Semaphore(WINDOW)

    async def send() -> None:
        for number in range(messages):
            await window.acquire()
            data = {
                "room_id": room_id,
                "content": f"{person.name} {number}",
                "client_message_id": f"{person.name}-{number}",
            }
            await socket.send(json.dumps({"type": "message", "id": str(number), "data": data}))

    sender = asyncio.create_task(send())
    while len(person.acks) < messages or len(person.events) < total:
        frame = json.loads(await asyncio.wait_for(socket.recv(), 60))
        if frame["type"] == "ack":
            window.release()
            person.acks[frame["data"]["client_message_id"]] = frame["data"]
        elif frame["type"] == "message" and frame["stream"] == f"room:{room_id}":
            person.events.append(frame)
        elif frame["type"] == "error":
            raise Broken(f"{person.name} got {frame}")
    await sender


async def history(person: Person, room_id: str) -> list[dict[str, Any]]:
    """The whole room, oldest first."""
    found: list[dict[str, Any]] = []
    path = f"/rooms/{room_id}/messages"
    page = await person.call("GET", path, params={"after": 0, "limit": 100})
    while True:
        found += page["results"]
        if page["next_cursor"] is None:
            return found
        page = await person.call("GET", path, params={"cursor": page["next_cursor"], "limit": 100})


def check(condition: object, sentence: str) -> None:
    if not condition:
        raise Broken(sentence)


async def main_job(first: str, second: str, messages: int) -> dict[str, float]:
    """The whole story; returns what was measured."""
    alice, bob = Person("alice", first), Person("bob", second)
    await alice.register()
    await bob.register()
    request = await alice.call("POST", "/friends/requests", json={"user_id": bob.id})
    await bob.call("POST", f"/friends/requests/{request['id']}/accept")
    room = await alice.call("POST", "/rooms/direct", json={"user_id": bob.id})
    room_id, total = room["id"], 2 * messages

    async with alice.connect() as her_socket, bob.connect() as his_socket:
        for socket in (her_socket, his_socket):
            ready = json.loads(await socket.recv())
            check(ready["type"] == "ready", f"The first frame was {ready}")
            check(ready["data"]["streams"][f"room:{room_id}"] == 0, "A new room's head is not 0.")
        started = time.perf_counter()
        await asyncio.gather(
            talk(alice, her_socket, room_id, messages, total),
            talk(bob, his_socket, room_id, messages, total),
        )
        seconds = time.perf_counter() - started

    saved = await history(alice, room_id)
    numbers = list(range(1, total + 1))
    for person in (alice, bob):
        check([event["pos"] for event in person.events] == numbers, f"{person.name} saw other positions.")
        check([event["data"]["seq"] for event in person.events] == numbers, f"{person.name} saw other seqs.")
        seen = [{k: v for k, v in e["data"].items() if k != "room_slug"} for e in person.events]
        check(seen == saved, f"What {person.name} saw live is not what history says.")
        by_client_id = {e["data"]["client_message_id"]: e["data"]["seq"] for e in person.events}
        check(
            all(by_client_id[id_] == ack["seq"] for id_, ack in person.acks.items()),
            f"An ack of {person.name} names another seq than the event.",
        )
        mine = [e["data"]["content"] for e in person.events if e["data"]["sender"]["id"] == person.id]
        check(mine == [f"{person.name} {n}" for n in range(messages)], f"{person.name}'s order is lost.")
        await person.http.aclose()
    check(saved == await _again(bob, room_id), "The two read different histories.")
    return {"messages": total, "seconds": round(seconds, 2), "per_second": round(total / seconds)}


async def _again(person: Person, room_id: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {person.token}"}
    async with httpx.AsyncClient(base_url=f"{person.base}/api/v1", timeout=30, headers=headers) as http:
        person.http = http
        return await history(person, room_id)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("first", help="the server that alice uses")
    parser.add_argument("second", nargs="?", help="the server that bob uses; the same one by default")
    parser.add_argument("--messages", type=int, default=1000, help="each way (1000)")
    arguments = parser.parse_args()
    try:
        figures = asyncio.run(
            main_job(arguments.first, arguments.second or arguments.first, arguments.messages)
        )
    except Broken as broken:
        sys.exit(f"FAILED: {broken}")
    print(f"OK: {figures}")


if __name__ == "__main__":
    main()
