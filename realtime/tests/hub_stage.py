"""A hub on the test's own loop, followers of it, and layers that misbehave."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import msgspec
from channels.layers import InMemoryChannelLayer
from pytest_django import Settings

from core.errors import Unavailable
from core.transactions import transactional
from eventlog import log
from eventlog.log import Draft, LoggedEvent
from realtime import hub as hubs
from realtime.connection import Connection
from realtime.hub import Hub
from realtime.router import Identity, Place
from realtime.threads import DatabaseThreads

SECONDS = 20
NEVER = 3600


class Card(msgspec.Struct):
    name: str


# --- Layers -------------------------------------------------------------------------------------


class Layer(InMemoryChannelLayer):
    """A layer that works, with room for all that a test sends."""

    def __init__(self) -> None:
        super().__init__(capacity=100_000, group_expiry=NEVER)


class NoisyLayer(Layer):
    """Of five rings it drops one and doubles one; each comes late by a time of its own, so in another order."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.tasks: set[asyncio.Task[None]] = set()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        for _ in range(self.random.choice([0, 1, 1, 1, 2])):
            task = asyncio.create_task(self._later(self.random.choice([0, 0.02, 0.1]), group, message))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _later(self, seconds: float, group: str, message: dict[str, Any]) -> None:
        await asyncio.sleep(seconds)
        await super().group_send(group, message)


class DeafLayer(Layer):
    """Takes every ring and passes none on."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        pass


class DeadLayer(Layer):
    async def group_add(self, group: str, channel: str) -> None:
        raise ConnectionError

    async def group_discard(self, group: str, channel: str) -> None:
        raise ConnectionError

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        raise ConnectionError

    async def receive(self, channel: str) -> dict[str, Any]:
        raise ConnectionError


class StumblingLayer(Layer):
    """The first membership to end breaks it, before there is anything to wait for."""

    stumbled = False

    def group_discard(self, group: str, channel: str) -> Coroutine[Any, Any, None]:
        if not self.stumbled:
            self.stumbled = True
            raise RuntimeError
        return super().group_discard(group, channel)


class GatedLayer(Layer):
    """Ends no membership until the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.gate = asyncio.Event(), asyncio.Event()

    async def group_discard(self, group: str, channel: str) -> None:
        self.asked.set()
        await self.gate.wait()
        await super().group_discard(group, channel)


class GatedThreads(DatabaseThreads):
    """Holds back the result of the first `work` until the gate opens, or lets every `work` fail."""

    def __init__(self, work: Callable[..., Any], *, fails: bool = False) -> None:
        super().__init__()
        self.work, self.fails = work, fails
        self.read, self.gate = asyncio.Event(), asyncio.Event()

    async def run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.fails and work is self.work:
            raise Unavailable
        result = await super().run(work, *args, **kwargs)
        if work is self.work and not self.read.is_set():
            self.read.set()
            await self.gate.wait()
        return result


# --- The stage ----------------------------------------------------------------------------------


@asynccontextmanager
async def running(
    settings: Settings, layer: Any, *, poll: float = 0.1, threads: DatabaseThreads | None = None
) -> AsyncIterator[Hub]:
    """This loop's hub, on that layer, with a look at the heads every `poll` seconds."""
    settings.HEAD_POLL_SECONDS = poll
    hub = hubs.current()
    hub.doorbell.layer = layer
    first = hub.threads
    hub.threads = threads or first
    try:
        yield hub
    finally:
        await hubs.stop()
        if hub.threads is not first:
            await asyncio.to_thread(first.stop)


class Follower:
    """A connection whose other end keeps what it gets. It reads while `reads` is set."""

    def __init__(self, hub: Hub, user_id: UUID | None = None, *, reads: bool = True) -> None:
        self.hub = hub
        self.frames: list[dict[str, Any]] = []
        self.reads = asyncio.Event()
        if reads:
            self.reads.set()
        self._news = asyncio.Condition()
        self.connection = Connection(self._send, None)
        self.connection.identity = Identity(user_id or uuid4(), uuid4(), 0, Card("someone"))
        hub.roster.add(self.connection, lambda _: {})
        self.writer = asyncio.create_task(self.connection.write())

    async def _send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        async with self._news:
            if message["type"] == "websocket.send":
                self.frames.append(json.loads(message["text"]))
            self._news.notify_all()

    async def follow(self, **heads: int) -> None:
        await self.hub.follow(self.connection, [Place(stream, head) for stream, head in heads.items()])

    def leave(self) -> None:
        """As the consumer does it when a socket is gone."""
        self.hub.remove(self.connection)
        self.connection.stop()
        self.writer.cancel()

    def positions(self, stream: str = "a") -> list[int]:
        return [frame["pos"] for frame in self.frames if frame.get("stream") == stream and "pos" in frame]

    def types(self) -> list[str]:
        return [frame["type"] for frame in self.frames]

    async def until(self, position: int, stream: str = "a") -> list[int]:
        """All positions of the stream, once that one is among them."""
        await self.hears(lambda: position in self.positions(stream))
        return self.positions(stream)

    async def hears(self, condition: Callable[[], bool]) -> None:
        """Wait until what has come in fulfils the condition."""
        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(condition)


async def append(hub: Hub, stream: str = "a", count: int = 1, **fields: Any) -> list[LoggedEvent]:
    """Log events in one transaction, as a service would."""

    @transactional
    def save() -> list[LoggedEvent]:
        drafts = (Draft(stream=stream, type="message", data={}, **fields) for _ in range(count))
        return log.lock(stream).append(*drafts)

    return await hub.threads.run(save)


async def hear(hub: Hub, events: list[LoggedEvent]) -> None:
    """Let the hub hear of a stream's events, whatever its layer does."""
    told = [list(event[1:]) for event in events]
    await hub._hear({"type": "events", "stream": events[0].stream, "events": told})


async def eventually(condition: Callable[[], object]) -> None:
    """For what happens inside the hub, of which nothing tells."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# --- What the layer may do ----------------------------------------------------------------------
