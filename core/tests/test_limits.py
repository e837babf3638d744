"""The rate limiter: so many at once, so many a second, per scope and key."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.conf import settings
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisAway

from core import limits
from core.limits import Limit, Quota, Window

THREADS = 8


@pytest.fixture
def limit():
    """A refill so slow that no test sees it."""
    return Limit(f"scope-{uuid4()}", most=5, seconds=100_000)


@pytest.fixture(params=["shared", "local"] if settings.REDIS_URLS else ["local"])
def _store(request, monkeypatch):
    """Redis, where there is one, and the memory that stands in for it."""
    if request.param == "local":
        monkeypatch.setattr(limits, "_redis_script", lambda: None)


@pytest.mark.usefixtures("_store")
class TestStores:
    def test_it_gives_a_burst_and_no_more(self, limit):
        assert [limits.take(limit, "alice") for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]

    def test_of_many_at_once_it_takes_those_that_fit(self, limit):
        assert limits.take(limit, "alice", count=3) == 3
        assert limits.take(limit, "alice", count=3) == 2
        assert limits.take(limit, "alice", count=3) == 0

    def test_keys_and_scopes_count_for_themselves(self, limit):
        assert limits.take_each(limit, {"alice": 5, "bob": 6}) == {"alice": 5, "bob": 5}
        assert limits.take(limit._replace(scope=f"other-{uuid4()}"), "alice", count=5) == 5

    def test_nobody_takes_nothing(self, limit):
        assert limits.take_each(limit, {}) == {}

    def test_it_tells_how_the_limit_stands(self, limit):
        assert limits.take_one(limit, "alice") == Quota(1, 4, 0.0, pytest.approx(20_000, abs=10))
        assert limits.take(limit, "alice", count=3) == 3
        assert limits.take_one(limit, "alice") == Quota(
            1, 0, pytest.approx(20_000, abs=10), pytest.approx(100_000, abs=10)
        )
        assert limits.take_one(limit, "alice") == Quota(
            0, 0, pytest.approx(20_000, abs=10), pytest.approx(100_000, abs=10)
        )

    def test_there_is_room_again_as_soon_as_it_says(self):
        limit = Limit(f"scope-{uuid4()}", most=3, seconds=0.03)
        while limits.take(limit, "alice"):
            pass
        assert limits.take_one(limit, "alice").retry_after <= 0.01
        assert any(limits.take(limit, "alice") for _ in range(100_000))

    def test_a_limit_that_was_lowered_holds_at_once(self, limit):
        limits.take(limit, "alice", count=5)
        assert limits.take_one(limit._replace(most=2), "alice")[:2] == (0, 0)

    def test_of_many_threads_at_once_exactly_as_many_pass_as_there_is_room_for(self, limit):
        start = Barrier(THREADS)

        def take_some(_):
            start.wait(timeout=10)
            return [limits.take(limit._replace(most=100), "alice") for _ in range(50)]

        with ThreadPoolExecutor(THREADS) as pool:
            taken = [each for some in pool.map(take_some, range(THREADS)) for each in some]
        assert (len(taken), sum(taken)) == (THREADS * 50, 100)


@pytest.fixture
def clock(monkeypatch):
    """The time of the local store, in a list of one."""
    now = [1000.0]
    monkeypatch.setattr(limits, "_redis_script", lambda: None)
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(limits, "_buckets", limits._Buckets())
    return now


class TestLocalStore:
    def test_it_refills_bit_by_bit(self, clock):
        limit = Limit("any", most=4, seconds=8)
        assert limits.take(limit, "alice", count=9) == 4
        clock[0] += 1.9
        assert limits.take_one(limit, "alice") == Quota(0, 0, pytest.approx(0.1), pytest.approx(6.1)), (
            "one in two seconds"
        )
        clock[0] += 0.2
        assert limits.take(limit, "alice", count=9) == 1
        clock[0] += 100
        assert limits.take(limit, "alice", count=9) == 4

    def test_it_forgets_who_has_all_of_their_room_again(self, clock):
        limit = Limit("any", most=4, seconds=8)
        limits.take_each(limit, {str(number): 1 for number in range(100)})
        clock[0] += limits.SECONDS_BETWEEN_SWEEPS - 1
        limits.take(limit, "late", count=4)
        clock[0] += 2
        limits.take(limit, "alice")
        assert {key for _, key in limits._buckets._kept} == {"late", "alice"}


@pytest.mark.skipif(not settings.REDIS_URLS, reason="No Redis here.")
class TestRedis:
    def test_all_keys_are_one_question(self, limit, monkeypatch):
        limits.take(limit, "warm")
        asked = []
        send = AbstractConnection.send_packed_command

        def counting(self, command, *args, **options):
            asked.append(command)
            return send(self, command, *args, **options)

        monkeypatch.setattr(AbstractConnection, "send_packed_command", counting)
        limits.take_each(limit, {str(number): 9 for number in range(50)})
        assert len(asked) == 1

    def test_what_is_full_again_is_kept_by_nobody(self, limit):
        limits.take(limit, "alice", count=2)
        redis = limits._redis_script().registered_client
        key = f"{settings.REDIS_PREFIX}.limits:{limit.scope}:alice"
        assert 39_000_000 < redis.pttl(key) <= 40_000_000


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
    assert Limit.of_rate("a", burst=10, per_second=20).rate == 20


def test_each_scope_of_requests_has_a_limit_of_its_own(settings):
    settings.READ_BURST, settings.READS_PER_SECOND = 7, 3
    assert limits.of_requests("read")[:2] == ("requests.read", 7)
    assert len({limits.of_requests(scope).scope for scope in limits.SCOPES}) == len(limits.SCOPES) == 5


class TestWindow:
    @pytest.fixture
    def limit(self):
        return Limit("any", most=5, seconds=60)

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

    def away(**_):
        asked.append(1)
        raise RedisAway

    monkeypatch.setattr(limits, "_redis_script", lambda: away)
    monkeypatch.setattr(limits, "_redis_again", 0.0)
    assert limits.take(limit, "alice", count=9) == 5
    assert limits.take(limit, "alice") == 0
    assert len(asked) == 1, "A Redis that is away is not asked for every message."
