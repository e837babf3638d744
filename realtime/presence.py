"""Who of this process's users is here: told to the store, and every change to those who may see it.

The store knows the connections of all processes; so it is here, too, that a user's surplus is found.

Nothing here is kept, and nothing waits for it: callers only note what is new, one task takes it to the
store on a thread of its own, and another one announces what has changed, with what the database says
of the audience. An announcement may be lost; what holds is in the store, and REST reads it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Iterable
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from core.errors import Unavailable
from core.timestamps import rfc3339
from eventlog.log import user_stream
from realtime import presence_store, protocol
from realtime.connection import Connection
from realtime.frames import PresenceChanged
from realtime.presence_store import Change, Entry, Here, Status
from realtime.protocol import Outgoing
from realtime.router import Audience, Router

if TYPE_CHECKING:
    from realtime.hub import Hub

logger = structlog.get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

STREAM = "presence"
"""Every process listens to it; an announcement names its audience itself."""

SWEEP_SECONDS = 1


class _Switched(NamedTuple):
    """That a user shows their presence to others than by the setting `before`, which `Router.audience_of` knows."""

    user_id: str
    before: str
    last_seen_at: str | None


class Presence:
    """Presence, as one process sees and tells it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._store = presence_store.current()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="presence")
        self._router: Router | None = None
        self._here: dict[Connection, Entry] = {}
        self._unsaid: dict[Connection, Entry] = {}
        self._gone: list[Entry] = []
        self._news = asyncio.Event()
        # By user: only what became of them last is announced. A switch is itself its key.
        self._changes: dict[str | _Switched, Change | _Switched] = {}
        self._changed = asyncio.Event()

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until the hub stops."""
        return [self._subscribe(), self._keep(), self._announce_changes()]

    async def stop(self) -> None:
        """Take leave of everyone, once the tasks have ended."""
        self._gone += self._here.values()
        self._here.clear()
        await self._run(self._store.drop, self._gone)
        self._thread.shutdown(wait=False)

    # --- What connections do --------------------------------------------------------------------

    def entered(self, connection: Connection, router: Router) -> None:
        """A connection is authenticated, for the first time or again."""
        self._router = router
        if connection.identity and connection.is_open and connection not in self._here:
            self._say(connection, Entry(str(connection.identity.user_id), str(connection.id), "online"))

    def set(self, connection: Connection, status: Here) -> None:
        """What a connection says of its user."""
        entry = self._here.get(connection)
        if entry and entry.status != status:
            self._say(connection, entry._replace(status=status))

    def left(self, connection: Connection) -> None:
        self._unsaid.pop(connection, None)
        if entry := self._here.pop(connection, None):
            self._gone.append(entry)
            self._news.set()

    def _say(self, connection: Connection, entry: Entry) -> None:
        self._here[connection] = self._unsaid[connection] = entry
        self._news.set()

    # --- The store ------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Tell the store who is here, who has left, and at every heartbeat who still is, for ever."""
        beat_at = sweep_at = time.monotonic()
        while True:
            with suppress(TimeoutError):
                # Not all processes at once.
                async with asyncio.timeout(SWEEP_SECONDS * random.uniform(0.75, 1)):  # noqa: S311
                    await self._news.wait()
            self._news.clear()
            try:
                now = time.monotonic()
                if now >= beat_at:
                    beat_at = now + settings.WS_HEARTBEAT_SECONDS
                    self._unsaid.update(self._here)
                await self._tell_store()
                if now >= sweep_at and self._router:
                    sweep_at = now + SWEEP_SECONDS / 2
                    self._note(await self._run(self._store.sweep))
            except Exception as error:  # noqa: BLE001 - the next heartbeat comes
                logger.warning("presence_failed", error=type(error).__name__)

    async def _tell_store(self) -> None:
        entries, self._unsaid = list(self._unsaid.values()), {}
        gone, self._gone = self._gone, []
        if entries or gone:
            changes, surplus = await self._run(self._exchange, entries, gone)
            self._note(changes)
            # At every heartbeat again: this ring, too, may be lost.
            for user_id, connections in surplus.items():
                stream = user_stream(UUID(user_id))
                message = {"type": "surplus", "stream": stream, "user": user_id, "connections": connections}
                self._hub.doorbell.ring(stream, message)

    def _exchange(self, entries: list[Entry], gone: list[Entry]) -> tuple[list[Change], dict[str, list[str]]]:
        changes = self._store.put(entries)
        self._store.drop(gone)
        users = {entry.user_id for entry in entries}
        return changes, self._store.surplus(users, settings.WS_CONNECTIONS_PER_USER)

    async def _run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args, **kwargs))

    # --- Announcements --------------------------------------------------------------------------

    async def _subscribe(self) -> None:
        while not await self._hub.doorbell.subscribe(STREAM):  # noqa: ASYNC110 - no event tells that Redis is back
            await asyncio.sleep(settings.HEAD_POLL_SECONDS)

    def _note(self, changes: list[Change]) -> None:
        self._changes.update((change.user_id, change) for change in changes)
        if changes:
            self._changed.set()

    async def _announce_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._changes:
                key = next(iter(self._changes))
                change = self._changes.pop(key)
                try:
                    if self._router is None:
                        continue  # Nobody has ever come: there is nobody to tell.
                    if isinstance(change, Change):
                        await self._announce(change, self._router)
                    else:
                        await self._show_anew(change, self._router)
                except Unavailable:
                    self._changes.setdefault(key, change)
                    await asyncio.sleep(1)
                except Exception as error:  # noqa: BLE001 - of one user; others wait for theirs
                    logger.warning("presence_failed", error=type(error).__name__)

    async def _announce(self, change: Change, router: Router) -> None:
        at = datetime.fromtimestamp(change.at, UTC)
        user_id = UUID(change.user_id)
        await self._hub.threads.run(router.seen, user_id, at)
        audience = await self._hub.threads.run(router.audience_of, user_id)
        holds = await self._run(self._store.statuses, [change.user_id])
        if holds.get(change.user_id, "offline") != change.status:
            return  # Whoever was told of the newer change announces it; this one could come after it.
        message = {
            "type": "presence",
            "stream": STREAM,
            "frame": _frame(change.user_id, change.status, rfc3339(at)),
            **_named(change.user_id, audience),
        }
        self._hub.doorbell.ring(STREAM, message)

    async def _show_anew(self, switched: _Switched, router: Router) -> None:
        """Tell this process's connections, as each process does: who sees the user no more that they are offline, and
        who sees them now how it stands.
        """
        user_id = UUID(switched.user_id)
        before = await self._hub.threads.run(router.audience_of, user_id, switched.before)
        after = await self._hub.threads.run(router.audience_of, user_id)
        found = await self._run(self._store.statuses, [switched.user_id])
        saw, see = (self._watchers(_named(switched.user_id, audience)) for audience in (before, after))
        _offer(saw - see, _frame(switched.user_id, "offline", None))
        if status := found.get(switched.user_id):
            _offer(see - saw, _frame(switched.user_id, status, switched.last_seen_at))

    def hear(self, message: dict[str, Any]) -> None:
        """Take an announcement, of this process or of another, or that a user shows their presence to others now."""
        match message["type"]:
            case "presence":
                _offer(self._watchers(message), message["frame"])
            case "presence.switched":
                switched = _Switched(message["user"], message["before"], message["last_seen_at"])
                self._changes[switched] = switched
                self._changed.set()

    def _watchers(self, named: dict[str, Any]) -> AbstractSet[Connection]:
        """This process's connections of those who are named, each once."""
        watchers: set[Connection] = set()
        for stream in named["streams"]:
            if feed := self._hub.feeds.get(stream):
                watchers.update(feed.followers)
        for user_id in named["users"]:
            watchers.update(self._hub.roster.connections_of(UUID(user_id)))
        return {c for c in watchers if c.identity and str(c.identity.user_id) not in named["not_to"]}


def _named(user_id: str, audience: Audience) -> dict[str, Any]:
    """The audience of a user's presence, as a message names it: without the user."""
    return {
        "streams": list(audience.streams),
        "users": [str(id_) for id_ in audience.user_ids],
        "not_to": [user_id, *(str(id_) for id_ in audience.not_to)],
    }


def _frame(user_id: str, status: Status, last_seen_at: str | None) -> str:
    data = PresenceChanged(UUID(user_id), status, last_seen_at)
    return protocol.encode(protocol.Frame("presence", ts=rfc3339(timezone.now()), data=data))


def _offer(connections: Iterable[Connection], frame: str) -> None:
    outgoing = Outgoing(frame)
    for connection in connections:
        connection.offer_ephemeral(outgoing)
