"""Who is here on which device: in memory for one process, in Redis for all. Synchronous; knows no socket.

Each connection is an entry that runs out unless it is put again, so that what a killed process leaves
behind ends by itself. An entry that has run out counts as told to others until it is swept: whoever
sweeps it, or puts another one, is told what has changed, and nobody else is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from threading import Lock
from typing import Any, Literal, NamedTuple, Protocol, cast
from uuid import UUID

import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from realtime.presence_scripts import DROP, PUT, STATUSES, SURPLUS, SWEEP

logger = structlog.get_logger(__name__)

Here = Literal["online", "away"]
Status = Literal["online", "away", "offline"]

_AWAY_SECONDS = 2
_PER_TURN = 200


class Entry(NamedTuple):
    """A connection of a user. Ids of connections are ordered by time."""

    user_id: str
    connection_id: str
    status: Here


class Change(NamedTuple):
    """What has become of a user; `at` is when they were last known to be here, in epoch seconds."""

    user_id: str
    status: Status
    at: float


class Store(Protocol):
    def put(self, entries: Sequence[Entry]) -> list[Change]:
        """Count these for `ttl()` seconds from now on."""

    def drop(self, entries: Sequence[Entry]) -> None:
        """Count these only for the grace from now on: a brief disconnect is none."""

    def sweep(self) -> list[Change]:
        """Forget what has run out. Each change is given to one caller, of all processes."""

    def statuses(self, user_ids: Iterable[str]) -> dict[str, Here]:
        """Those of the users who are here."""

    def surplus(self, user_ids: Iterable[str], most: int) -> dict[str, list[str]]:
        """The oldest connections of each who has more than `most` open; those that were dropped are not."""


def ttl() -> float:
    """Seconds until an entry runs out: two heartbeats may be late, or one lost."""
    return 2.25 * settings.WS_HEARTBEAT_SECONDS


@cache
def current() -> Store:
    """The store of this process."""
    return RedisStore(settings.REDIS_URLS[0], settings.REDIS_PREFIX) if settings.REDIS_URLS else MemoryStore()


def statuses(user_ids: Iterable[UUID]) -> dict[UUID, Status]:
    """The status of each of the users; "offline" where nothing is known."""
    ids = list(user_ids)
    found = current().statuses([str(user_id) for user_id in ids])
    return {user_id: found.get(str(user_id), "offline") for user_id in ids}


class _Kept(NamedTuple):
    status: Here
    ends: float
    seen: float
    left: bool = False


class MemoryStore:
    """The store of a process that is alone."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._users: dict[str, dict[str, _Kept]] = {}

    def put(self, entries: Sequence[Entry]) -> list[Change]:
        changes = []
        with self._lock:
            now = self._clock()
            for user_id, connection_id, status in entries:
                known = self._users.setdefault(user_id, {})
                before = _strongest(known.values())
                known[connection_id] = _Kept(status, now + ttl(), now)
                after, _ = self._settle(user_id, now)
                if before != after:
                    changes.append(Change(user_id, after, now))
        return changes

    def drop(self, entries: Sequence[Entry]) -> None:
        with self._lock:
            now = self._clock()
            for user_id, connection_id, _ in entries:
                known = self._users.get(user_id, {})
                if kept := known.get(connection_id):
                    known[connection_id] = _Kept(
                        kept.status, now + settings.PRESENCE_GRACE_SECONDS, now, left=True
                    )

    def sweep(self) -> list[Change]:
        changes = []
        with self._lock:
            now = self._clock()
            for user_id, known in list(self._users.items()):
                before = _strongest(known.values())
                after, seen = self._settle(user_id, now)
                if before != after:
                    changes.append(Change(user_id, after, seen if after == "offline" else now))
        return changes

    def statuses(self, user_ids: Iterable[str]) -> dict[str, Here]:
        with self._lock:
            now = self._clock()
            found = {
                user_id: _strongest(kept for kept in self._users[user_id].values() if kept.ends > now)
                for user_id in user_ids
                if user_id in self._users
            }
        return {user_id: status for user_id, status in found.items() if status != "offline"}

    def surplus(self, user_ids: Iterable[str], most: int) -> dict[str, list[str]]:
        found = {}
        with self._lock:
            now = self._clock()
            for user_id in user_ids:
                known = self._users.get(user_id, {})
                open_ = sorted(id_ for id_, kept in known.items() if kept.ends > now and not kept.left)
                if len(open_) > most:
                    found[user_id] = open_[:-most]
        return found

    def _settle(self, user_id: str, now: float) -> tuple[Status, float]:
        """Forget what has run out; what is left, and when those who left were last seen."""
        known = self._users[user_id]
        seen = 0.0
        for connection_id, kept in list(known.items()):
            if kept.ends <= now:
                del known[connection_id]
                seen = max(seen, kept.seen)
        if not known:
            del self._users[user_id]
        return _strongest(known.values()), seen


def _strongest(entries: Iterable[_Kept]) -> Status:
    found = {kept.status for kept in entries}
    return "online" if "online" in found else "away" if found else "offline"


class RedisStore:
    """The store that all processes share. Without Redis nobody is known to be here, and nothing waits for it."""

    def __init__(self, url: str, prefix: str) -> None:
        self._key = f"{prefix}.presence"
        self._redis = Redis.from_url(
            url,
            socket_timeout=1,
            socket_connect_timeout=1,
            decode_responses=True,
            # Once, for a connection that broke while idle; who waited for a second does not wait for another.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        scripts = (self._redis.register_script(text) for text in (PUT, DROP, SWEEP, STATUSES, SURPLUS))
        self._put, self._drop, self._sweep, self._statuses, self._surplus = scripts
        self._away_until = 0.0

    def put(self, entries: Sequence[Entry]) -> list[Change]:
        changes = []
        for start in range(0, len(entries), _PER_TURN):
            some = entries[start : start + _PER_TURN]
            answers = self._tried(partial(self._put_some, some), [])
            for entry, (before, after, now) in zip(some, answers, strict=False):
                if before != after:
                    changes.append(Change(entry.user_id, after, int(now) / 1000))
        return changes

    def _put_some(self, entries: Sequence[Entry]) -> list[Any]:
        with self._redis.pipeline(transaction=False) as pipeline:
            for entry in entries:
                self._put(keys=[self._key], args=[*entry, int(ttl() * 1000)], client=pipeline)
            return pipeline.execute()

    def drop(self, entries: Sequence[Entry]) -> None:
        for start in range(0, len(entries), _PER_TURN):
            some = entries[start : start + _PER_TURN]
            self._tried(partial(self._drop_some, some), None)

    def _drop_some(self, entries: Sequence[Entry]) -> None:
        grace = settings.PRESENCE_GRACE_SECONDS * 1000
        with self._redis.pipeline(transaction=False) as pipeline:
            for user_id, connection_id, _ in entries:
                self._drop(keys=[self._key], args=[user_id, connection_id, grace], client=pipeline)
            pipeline.execute()

    def sweep(self) -> list[Change]:
        changes = []
        while True:
            found = self._tried(lambda: self._sweep(keys=[self._key], args=[_PER_TURN]), [])
            for user_id, before, after, at in found:
                # A user of whom nothing is left but the reminder is gone all the same.
                if before != after or after == "offline":
                    changes.append(Change(user_id, after, int(at) / 1000))
            if len(found) < _PER_TURN:
                return changes

    def statuses(self, user_ids: Iterable[str]) -> dict[str, Here]:
        ids = list(user_ids)
        found = self._tried(lambda: self._statuses(keys=[self._key], args=ids), []) if ids else []
        return {
            user_id: cast("Here", status)
            for user_id, status in zip(ids, found, strict=False)
            if status != "offline"
        }

    def surplus(self, user_ids: Iterable[str], most: int) -> dict[str, list[str]]:
        ids = list(user_ids)
        found: dict[str, list[str]] = {}
        for start in range(0, len(ids), _PER_TURN):
            args: list[str | int] = [most, *ids[start : start + _PER_TURN]]
            answers = self._tried(partial(self._surplus, keys=[self._key], args=args), [])
            found.update((user_id, connections) for user_id, *connections in answers)
        return found

    def _tried(self, work: Callable[[], Any], otherwise: Any) -> Any:
        """What `work` gives; `otherwise` while Redis is away, which is not asked again for a while."""
        if time.monotonic() < self._away_until:
            return otherwise
        try:
            return work()
        except (RedisError, OSError) as error:  # OSError: no descriptor is left for a connection
            logger.warning("presence_unknown", error=type(error).__name__)
            self._away_until = time.monotonic() + _AWAY_SECONDS
            return otherwise
