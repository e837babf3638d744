"""The rate limiter: so many at once, so many a second, per scope and key."""

from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError as RedisAway

from core import limits
from core.limits import Limit, Window


@pytest.fixture
def limit():
    """A window so long that no test outlasts it."""
    return Limit(f"scope-{uuid4()}", most=5, seconds=60)


def test_it_gives_a_burst_and_no_more(limit):
    assert [limits.take(limit, "alice") for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]


def test_of_many_at_once_it_takes_those_that_fit(limit):
    assert limits.take(limit, "alice", count=3) == 3
    assert limits.take(limit, "alice", count=3) == 2
    assert limits.take(limit, "alice", count=3) == 0


def test_keys_and_scopes_count_for_themselves(limit):
    assert limits.take(limit, "alice", count=5) == 5
    assert limits.take(limit, "bob", count=5) == 5
    assert limits.take(limit._replace(scope=f"other-{uuid4()}"), "alice", count=5) == 5


def test_what_is_given_back_leaves_room_for_as_much(limit):
    assert limits.take(limit, "alice", count=5) == 5
    for _ in range(2):
        limits.give_back(limit, "alice")
    assert limits.take(limit, "alice", count=5) == 2


def test_of_nothing_nothing_is_given_back(limit):
    limits.give_back(limit, "alice")
    assert limits.take(limit, "alice", count=9) == 5


def test_a_rate_is_a_burst_and_the_time_in_which_it_refills():
    assert Limit.of_rate("a", burst=40, per_second=20) == Limit("a", most=40, seconds=2)


class TestWindow:
    def test_it_gives_a_burst_and_no_more(self, limit):
        window = Window(limit)
        assert [window.take() for _ in range(7)] == [True] * 5 + [False] * 2

    def test_it_moves(self, limit, monkeypatch):
        times = [100, 101, 102, 103, 104, 159, 160, 160, 161]
        clock = iter(times)
        monkeypatch.setattr(limits.time, "monotonic", lambda: next(clock))
        window = Window(limit)
        assert [window.take() for _ in times] == [True] * 5 + [False, True, False, True]


def test_without_redis_it_counts_locally(limit, monkeypatch):
    asked = []

    class Away:
        @property
        def storage(self):
            asked.append(1)
            raise RedisAway

    monkeypatch.setattr(limits, "_limiter", Away)
    monkeypatch.setattr(limits, "_redis_again", 0.0)
    assert limits.take(limit, "alice", count=9) == 5
    assert limits.take(limit, "alice") == 0
    assert len(asked) == 1, "A Redis that is away is not asked for every message."
