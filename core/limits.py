"""The one rate limiter: a bucket per scope and key, in Redis for all processes or in memory for one.

A bucket is two numbers, whatever the limit: a moving window, which remembers each time, grows with it.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

logger = structlog.get_logger(__name__)


SECONDS_WITHOUT_REDIS = 5
"""After a failure Redis is left alone for so long."""

SECONDS_BETWEEN_SWEEPS = 60
"""Of the buckets in memory, for those that are full again. Redis lets them expire."""

_redis_again = 0.0

# By Redis' own clock, so that those of the machines need not agree.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local most, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local answers = {}
for i, key in ipairs(KEYS) do
  local used, at = string.match(redis.call('GET', key) or '', '^(%S+) (%S+)$')
  used = used and math.max(0, used - math.max(0, now - at) * rate) or 0
  local count = tonumber(ARGV[i + 2])
  local taken = math.max(math.min(0, count), math.min(count, math.floor(most - used)))
  used = math.max(0, used + taken)
  if used == 0 then
    redis.call('DEL', key)
  else
    redis.call('SET', key, string.format('%.17g %.17g', used, now), 'PX', math.ceil(used / rate * 1000))
  end
  answers[i] = {taken, string.format('%.17g', used)}
end
return answers
"""


class Limit(NamedTuple):
    """`most` at once, and in the long run `most` in `seconds`; `scope` names what is counted."""

    scope: str
    most: int
    seconds: float

    @classmethod
    def of_rate(cls, scope: str, *, burst: int, per_second: int) -> Limit:
        """At most `burst` at once, and `per_second` in the long run."""
        return cls(scope, burst, burst / per_second)

    @property
    def rate(self) -> float:
        """How many there is room for again each second."""
        return self.most / self.seconds


class Quota(NamedTuple):
    """How a limit stands after `taken` were counted.

    There is room for `remaining` more; after `retry_after` seconds for one, after `reset_after` for all.
    """

    taken: int
    remaining: int
    retry_after: float
    reset_after: float

    @classmethod
    def of(cls, limit: Limit, taken: int, used: float) -> Quota:
        remaining = max(0, math.floor(limit.most - used))
        return cls(taken, remaining, max(0.0, used + 1 - limit.most) / limit.rate, used / limit.rate)


def of_requests(scope: str) -> Limit:
    """The limit of REST requests in a scope: `login`, `read`, `write`, `message` (sockets' too), `upload`."""
    burst, per_second = _REQUESTS[scope]
    # A name of its own, so that no other limit on logins counts along.
    return Limit.of_rate(
        f"requests.{scope}", burst=getattr(settings, burst), per_second=getattr(settings, per_second)
    )


_REQUESTS = {
    "login": ("LOGIN_BURST", "LOGINS_PER_SECOND"),
    "read": ("READ_BURST", "READS_PER_SECOND"),
    "write": ("WRITE_BURST", "WRITES_PER_SECOND"),
    "message": ("MESSAGE_BURST", "MESSAGES_PER_SECOND"),
    "upload": ("UPLOAD_BURST", "UPLOADS_PER_SECOND"),
}
SCOPES = tuple(_REQUESTS)


def take(limit: Limit, key: str, *, count: int = 1) -> int:
    """Count up to `count` more against `limit` for `key`; how many of them it has room for.

    With Redis away it counts in this process alone: a limit that holds loosely beats a chat that stops.
    """
    return take_each(limit, {key: count})[key]


def take_each(limit: Limit, counts: Mapping[str, int]) -> dict[str, int]:
    """`take` for many keys, with one question to Redis."""
    return {key: quota.taken for key, quota in _take_each(limit, counts).items()}


def take_one(limit: Limit, key: str) -> Quota:
    """`take` for one more, and how the limit stands then."""
    return _take_each(limit, {key: 1})[key]


def _take_each(limit: Limit, counts: Mapping[str, int]) -> dict[str, Quota]:
    global _redis_again  # noqa: PLW0603 - one breaker per process
    if counts and time.monotonic() >= _redis_again:
        try:
            if take_in_redis := _redis_script():
                keys = [f"{settings.REDIS_PREFIX}.limits:{limit.scope}:{key}" for key in counts]
                answers = take_in_redis(keys=keys, args=[limit.most, limit.rate, *counts.values()])
                return {
                    key: Quota.of(limit, taken, float(used))
                    for key, (taken, used) in zip(counts, answers, strict=True)
                }
        except (RedisError, OSError) as error:  # OSError: no descriptor is left for a connection
            # A Redis that hangs costs its timeout once in a while, not with every message.
            _redis_again = time.monotonic() + SECONDS_WITHOUT_REDIS
            logger.warning("limits_count_locally", error=type(error).__name__)
    return _buckets.take_each(limit, counts)


@cache
def _redis_script() -> Any:
    if not settings.REDIS_URLS:
        return None
    redis = Redis.from_url(
        settings.REDIS_URLS[0],
        socket_timeout=1,
        socket_connect_timeout=1,
        # Once, for a connection that broke while idle; who waited for a second does not wait for another.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    return redis.register_script(_TAKE)


class _Buckets:
    """The buckets of this process: of each, how much is used, and when that was so."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[tuple[str, str], tuple[float, float, float]] = {}
        self._swept_at = time.monotonic()

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def take_each(self, limit: Limit, counts: Mapping[str, int]) -> dict[str, Quota]:
        with self._lock:
            now = time.monotonic()
            if now - self._swept_at > SECONDS_BETWEEN_SWEEPS:
                self._kept = {bucket: kept for bucket, kept in self._kept.items() if _used_by(now, *kept) > 0}
                self._swept_at = now
            return {key: self._take(limit, key, count, now) for key, count in counts.items()}

    def _take(self, limit: Limit, key: str, count: int, now: float) -> Quota:
        used = _used_by(now, *self._kept.get((limit.scope, key), (0.0, now, limit.rate)))
        taken = max(min(0, count), min(count, math.floor(limit.most - used)))
        used = max(0.0, used + taken)
        self._kept[limit.scope, key] = (used, now, limit.rate)
        return Quota.of(limit, taken, used)


def _used_by(now: float, used: float, at: float, rate: float) -> float:
    return max(0.0, used - (now - at) * rate)


_buckets = _Buckets()


def forget_local_counts() -> None:
    """Begin anew in this process's memory, for tests; a Redis is another thing's to empty."""
    _buckets.clear()


def give_back(limit: Limit, key: str) -> None:
    """Count the last one no more: it was nothing to count. With Redis away it may stay counted."""
    _take_each(limit, {key: -1})


class Window:
    """At most so many in any so many seconds, of what belongs to one object and goes with it: a connection's frames.

    Every frame asks it, on the event loop.
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
