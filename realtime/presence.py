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
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from core.errors import Unavailable
from core.timestamps import rfc3339
from eventlog.log import user_stream
from realtime import presence_store, protocol
from realtime.connection import Connection
from realtime.presence_store import Change, Entry, Here, Status
from realtime.protocol import Outgoing
from realtime.router import Router, Watchers

if TYPE_CHECKING:
    from realtime.hub import Hub

logger = structlog.get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

STREAM = "presence"
"""Every process listens to it; an announcement names its audience itself."""

SWEEP_SECONDS = 1


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
        self._changes: dict[str, Change] = {}  # by user: only what became of them last is announced
        self._shown_anew: set[str] = set()  # users whom others may see than before
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
                user_id = next(iter(self._changes))
                change = self._changes.pop(user_id)
                try:
                    if self._router:
                        await self._announce(change, self._router)
                except Unavailable:
                    self._changes.setdefault(user_id, change)
                    await asyncio.sleep(1)
                except Exception as error:  # noqa: BLE001 - of one user; others wait for theirs
                    logger.warning("presence_failed", error=type(error).__name__)

    async def _announce(self, change: Change, router: Router) -> None:
        at = datetime.fromtimestamp(change.at, UTC)
        user_id = UUID(change.user_id)
        await self._hub.threads.run(router.seen, user_id, at)
        audience = await self._hub.threads.run(router.audience_of, user_id)
        found = await self._run(self._store.statuses, [change.user_id])
        status: Status = found.get(change.user_id, "offline")
        not_to = {user_id, *audience.not_to}
        if change.user_id in self._shown_anew:
            self._shown_anew.discard(change.user_id)
            self._ring(
                user_id, "offline", None, audience.hidden_from, not_to=not_to.union(audience.told.user_ids)
            )
        elif status != change.status:
            return  # Whoever was told of the newer change announces it; this one could come after it.
        self._ring(user_id, status, rfc3339(at), audience.told, not_to=not_to)

    def _ring(
        self, user_id: UUID, status: Status, seen_at: str | None, watchers: Watchers, *, not_to: set[UUID]
    ) -> None:
        data = {"user_id": user_id, "status": status, "last_seen_at": seen_at}
        message = {
            "type": "presence",
            "stream": STREAM,
            "frame": protocol.encode(protocol.Frame("presence", ts=rfc3339(timezone.now()), data=data)),
            "streams": list(watchers.streams),
            "users": [str(id_) for id_ in watchers.user_ids],
            "not_to": [str(id_) for id_ in not_to],
        }
        self._hub.doorbell.ring(STREAM, message)

    def hear(self, message: dict[str, Any]) -> None:
        """Take what came on STREAM, of this process or of another."""
        if message["type"] == "presence":
            self._pass_on(message)
        elif self._hub.roster.connections_of(UUID(message["user"])):
            # Who is nowhere here is offline to everyone, or the business of another process.
            self._shown_anew.add(message["user"])
            self._changes.setdefault(message["user"], Change(message["user"], "online", time.time()))
            self._changed.set()

    def _pass_on(self, message: dict[str, Any]) -> None:
        """One frame for each connection that an announcement is for."""
        watchers: set[Connection] = set()
        for stream in message["streams"]:
            if feed := self._hub.feeds.get(stream):
                watchers.update(feed.followers)
        for user_id in message["users"]:
            watchers.update(self._hub.roster.connections_of(UUID(user_id)))
        frame = Outgoing(message["frame"])
        for connection in watchers:
            if connection.identity and str(connection.identity.user_id) not in message["not_to"]:
                connection.offer_ephemeral(frame)
