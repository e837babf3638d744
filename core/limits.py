"""The one rate limiter: a moving window per scope and key, in Redis for all processes or in memory for one."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any, NamedTuple, cast

import structlog
from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)


SECONDS_WITHOUT_REDIS = 5
"""After a failure Redis is left alone for so long."""

_redis_again = 0.0

_counting_locally = Lock()
"""Two threads at once may start the library's timer twice, which fails."""


class Limit(NamedTuple):
    """At most `most` in any `seconds`; `scope` names what is counted."""

    scope: str
    most: int
    seconds: int

    @classmethod
    def of_rate(cls, scope: str, *, burst: int, per_second: int) -> Limit:
        """At most `burst` at once, and `per_second` in the long run."""
        return cls(scope, burst, max(1, round(burst / per_second)))


def take(limit: Limit, key: str, *, count: int = 1) -> int:
    """Count up to `count` more against `limit` for `key`; how many of them it has room for.

    With Redis away it counts in this process alone: a limit that holds loosely beats a chat that stops.
    """
    return take_each(limit, {key: count})[key]


def take_each(limit: Limit, counts: Mapping[str, int]) -> dict[str, int]:
    """`take` for many keys, with one question to Redis."""
    global _redis_again  # noqa: PLW0603 - one breaker per process
    if time.monotonic() >= _redis_again:
        try:
            if limiter := _limiter():
                return _take_each(limiter, limit, counts)
        except RedisError as error:
            # A Redis that hangs costs its timeout once in a while, not with every message.
            _redis_again = time.monotonic() + SECONDS_WITHOUT_REDIS
            logger.warning("limits_count_locally", error=type(error).__name__)
    with _counting_locally:
        limiter = _local_limiter()
        return {key: _take(limiter, limit, key, count) for key, count in counts.items()}


def give_back(limit: Limit, key: str) -> None:
    """Count the last one no more: it was nothing to count. With Redis away it may stay counted."""
    name = _item(limit).key_for(key)
    if time.monotonic() >= _redis_again and (limiter := _limiter()):
        storage: Any = limiter.storage
        with suppress(RedisError):
            storage.storage.lpop(storage.prefixed_key(name))
        return
    memory = cast("MemoryStorage", _local_limiter().storage)
    with _counting_locally, memory.locks[name]:
        del memory.events.get(name, [])[:1]


class Window:
    """A limit on what belongs to one object, and goes with it: a connection's frames.

    Every frame asks it, on the event loop: the library's memory starts a thread per question.
    """

    def __init__(self, limit: Limit) -> None:
        self._seconds = limit.seconds
        self._times: deque[float] = deque(maxlen=limit.most)

    def take(self) -> bool:
        """Count one more, if there is room for it."""
        now = time.monotonic()
        if len(self._times) == self._times.maxlen and now - self._times[0] < self._seconds:
            return False
        self._times.append(now)
        return True


def _take_each(limiter: MovingWindowRateLimiter, limit: Limit, counts: Mapping[str, int]) -> dict[str, int]:
    storage: Any = limiter.storage
    item, now = _item(limit), time.time()
    with storage.storage.pipeline(transaction=False) as pipeline:
        for key, count in counts.items():
            keys = [storage.prefixed_key(item.key_for(key))]
            storage.lua_acquire_moving_window(keys, [now, limit.most, limit.seconds, count], client=pipeline)
        answers = pipeline.execute()
    return {
        key: count if answer else _take_some(limiter, limit, key, count)
        for (key, count), answer in zip(counts.items(), answers, strict=True)
    }


def _take(limiter: MovingWindowRateLimiter, limit: Limit, key: str, count: int) -> int:
    return count if limiter.hit(_item(limit), key, cost=count) else _take_some(limiter, limit, key, count)


def _take_some(limiter: MovingWindowRateLimiter, limit: Limit, key: str, count: int) -> int:
    """One by one, where there is no room for all; how many there was room for."""
    item = _item(limit)
    return next((taken for taken in range(count - 1) if not limiter.hit(item, key)), count - 1)


def _item(limit: Limit) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(limit.most, limit.seconds, namespace=limit.scope)


@cache
def _limiter() -> MovingWindowRateLimiter | None:
    if not settings.REDIS_URLS:
        return None
    storage: Storage = RedisStorage(
        settings.REDIS_URLS[0],
        key_prefix=f"{settings.REDIS_PREFIX}.limits",
        socket_timeout=1,
        socket_connect_timeout=1,
    )
    return MovingWindowRateLimiter(storage)


@cache
def _local_limiter() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())
