"""After healing: what every server process shows of every room, by history and by replay."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import websockets

from chaos.client import Client
from chaos.stage import Web

Rooms = dict[str, list[dict[str, Any]]]
"""Each room's whole history, oldest message first."""


async def history_of(web: Web, rooms: dict[str, list[Client]]) -> Rooms:
    """As REST pages show it at this process, to the room's owner."""
    shown: Rooms = {}
    for room, (owner, *_) in rooms.items():
        owner.credentials.webs = [web]
        shown[room] = []
        query = "after=0"
        while query:
            page = await owner.credentials.must("GET", f"/rooms/{room}/messages?limit=100&{query}")
            shown[room] += page["results"]
            query = f"cursor={page['next_cursor']}" if page["next_cursor"] else ""
    return shown


async def replay_of(web: Web, rooms: dict[str, list[Client]]) -> Rooms:
    """As this process replays it from the first event on, to the room's owner; only the messages."""
    return {room: await _replay(web, owner, room) for room, (owner, *_) in rooms.items()}


async def _replay(web: Web, owner: Client, room: str) -> list[dict[str, Any]]:
    stream, pos = f"room:{room}", 0
    messages: list[dict[str, Any]] = []
    await owner.credentials.refresh()
    async with websockets.connect(web.ws, max_queue=None) as socket:
        data = {"token": owner.credentials.access, "cursors": {stream: 0}}
        await socket.send(json.dumps({"type": "auth", "data": data}))
        while True:
            frame = json.loads(await asyncio.wait_for(socket.recv(), 20))
            if frame["type"] == "resumed":
                return messages
            if frame.get("stream") != stream or "pos" not in frame:
                continue
            if frame["pos"] != pos + 1:
                raise AssertionError(f"the replay of {room} has {frame['pos']} after {pos}")
            pos = frame["pos"]
            if frame["type"] == "message":
                messages.append(frame["data"])
