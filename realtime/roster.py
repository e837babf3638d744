"""Who is connected to this process, and the ends of their sessions."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from uuid import UUID

import structlog
from django.conf import settings

from realtime import protocol
from realtime.close_codes import CloseCode
from realtime.connection import Connection
from realtime.frames import Reconnect
from realtime.loader import Loader
from realtime.threads import DatabaseThreads

logger = structlog.get_logger(__name__)

SESSION_POLL_SECONDS = 8
"""A session that ends while Redis is away ends its sockets within this."""

_SESSIONS_PER_QUERY = 500

Ended = Callable[[Collection[UUID]], Mapping[UUID, CloseCode]]


class Roster:
    """The authenticated connections of one process, by user."""

    def __init__(self, threads: DatabaseThreads) -> None:
        self._threads = threads
        self._by_user: defaultdict[UUID, set[Connection]] = defaultdict(set)
        self._ended: Ended = _none_ended
        self._draining = False
        self._newcomers: Loader[Connection, None] = Loader(self._check)

    def add(self, connection: Connection, ended: Ended) -> None:
        """Know a connection from now on. `ended` tells which of some sessions are over."""
        self._ended = ended
        if connection.identity:
            mine = self._by_user[connection.identity.user_id]
            mine.add(connection)
            # Ids are ordered by time. Those of other processes are counted by `Presence`, with Redis at hand.
            still_open = sorted((one for one in mine if one.is_open), key=lambda one: one.id)
            for one in still_open[: -settings.WS_CONNECTIONS_PER_USER]:
                one.close(CloseCode.TOO_MANY_CONNECTIONS)

    def remove(self, connection: Connection) -> None:
        if connection.identity:
            mine = self._by_user[connection.identity.user_id]
            mine.discard(connection)
            if not mine:
                del self._by_user[connection.identity.user_id]

    def __len__(self) -> int:
        return sum(map(len, self._by_user.values()))

    def connections_of(self, user_id: UUID) -> Collection[Connection]:
        return self._by_user.get(user_id, ())

    def end(self, user_id: UUID, sessions: Collection[str] | None, code: CloseCode) -> None:
        """Close the user's connections: those of the named sessions, or all."""
        for connection in list(self._by_user.get(user_id, ())):
            if connection.identity and (sessions is None or str(connection.identity.session_id) in sessions):
                connection.close(code)

    def close_surplus(self, user_id: UUID, connections: Collection[str]) -> None:
        """Close those of the user's connections that are too many over all processes."""
        for connection in self._by_user.get(user_id, ()):
            if str(connection.id) in connections:
                connection.close(CloseCode.TOO_MANY_CONNECTIONS)

    def drain(self, seconds: float) -> None:
        """Send everyone elsewhere, spread over `seconds`, so that they don't all come back at once.

        Each is told by `reconnect` at once, gets the answers that it is owed, and is closed with 1012.
        A second call changes nothing.
        """
        if self._draining:
            return
        self._draining = True
        loop = asyncio.get_running_loop()
        for connection in self._all():
            delay = random.uniform(0, seconds)  # noqa: S311
            after = Reconnect(round(delay * 1000))
            connection.push(protocol.encode(protocol.Frame("reconnect", data=after)))
            loop.call_later(delay, connection.finish)

    def _all(self) -> list[Connection]:
        return [connection for mine in self._by_user.values() for connection in mine]

    async def check(self, connection: Connection) -> None:
        """Close a connection if its session is over. Raises Unavailable."""
        await self._newcomers.get(connection)

    async def _check(self, connections: list[Connection]) -> list[None]:
        await self._close_ended(connections)
        return [None] * len(connections)

    async def _close_ended(self, connections: Iterable[Connection]) -> None:
        by_session: defaultdict[UUID, list[Connection]] = defaultdict(list)
        for connection in connections:
            if connection.identity:
                by_session[connection.identity.session_id].append(connection)
        sessions = list(by_session)
        for start in range(0, len(sessions), _SESSIONS_PER_QUERY):
            part = sessions[start : start + _SESSIONS_PER_QUERY]
            for session_id, code in (await self._threads.run(self._ended, part)).items():
                for connection in by_session[session_id]:
                    connection.close(code)

    async def look_for_ended(self) -> None:
        """Find the ends of sessions that no ring told, for ever."""
        while True:
            await asyncio.sleep(SESSION_POLL_SECONDS * random.uniform(0.75, 1))  # noqa: S311
            try:
                await self._close_ended(self._all())
            except Exception as error:  # noqa: BLE001 - the next look comes
                logger.warning("look_failed", error=type(error).__name__)


def _none_ended(_: Collection[UUID]) -> dict[UUID, CloseCode]:
    return {}
