"""The store of presence, in memory and in Redis: the same rules, and the same tests."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.conf import settings as configured
from pytest_django import Settings

from realtime.presence_store import Change, Entry, MemoryStore, RedisStore, Store
from tests.with_servers import free_port

TTL = 2.25
KINDS = ["memory", "redis"] if configured.REDIS_URLS else ["memory"]


@pytest.fixture(autouse=True)
def timing(settings: Settings) -> None:
    settings.WS_HEARTBEAT_SECONDS = 1
    settings.PRESENCE_GRACE_SECONDS = 1


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    return RedisStore(configured.REDIS_URLS[0], f"test-{uuid4()}")


def phone(user: str = "alice") -> Entry:
    return Entry(user, f"{user}-phone", "online")


def laptop(user: str = "alice") -> Entry:
    return Entry(user, f"{user}-laptop", "online")


def away(entry: Entry) -> Entry:
    return entry._replace(status="away")


def news(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.user_id, change.status) for change in changes]


class TestPut:
    def test_the_first_is_news_and_the_second_is_none(self, store: Store) -> None:
        before = time.time()
        (change,) = store.put([phone()])
        assert news([change]) == [("alice", "online")]
        assert before - 0.01 <= change.at <= time.time() + 0.01
        assert store.put([phone(), laptop()]) == []
        assert store.statuses(["alice", "bob"]) == {"alice": "online"}

    def test_a_user_is_away_when_all_devices_are(self, store: Store) -> None:
        store.put([phone(), laptop()])
        assert store.put([away(phone())]) == []
        assert news(store.put([away(laptop())])) == [("alice", "away")]
        assert store.statuses(["alice"]) == {"alice": "away"}
        assert news(store.put([phone()])) == [("alice", "online")]

    def test_many_at_once(self, store: Store) -> None:
        users = [f"user-{number}" for number in range(1000)]
        assert news(store.put([phone(user) for user in users])) == [(user, "online") for user in users]
        assert store.statuses(users) == dict.fromkeys(users, "online")
        assert store.statuses([]) == {}


class TestEnds:
    def test_who_is_not_put_again_runs_out(self, store: Store) -> None:
        (came,) = store.put([phone()])
        store.put([phone("bob")])
        time.sleep(TTL / 2)
        assert store.sweep() == []
        store.put([phone("bob")])
        time.sleep(TTL / 2 + 0.1)
        assert store.statuses(["alice", "bob"]) == {"bob": "online"}
        (left,) = store.sweep()
        assert news([left]) == [("alice", "offline")]
        assert left.at == pytest.approx(came.at, abs=0.05), "when they were last known to be here"
        assert store.sweep() == []

    def test_who_leaves_counts_for_the_grace(self, store: Store) -> None:
        store.put([phone()])
        store.drop([phone()])
        assert store.sweep() == []
        assert store.statuses(["alice"]) == {"alice": "online"}
        time.sleep(1.1)
        assert news(store.sweep()) == [("alice", "offline")]

    def test_who_comes_back_in_the_grace_is_no_news(self, store: Store) -> None:
        store.put([phone()])
        store.drop([phone()])
        assert store.put([laptop()]) == []
        time.sleep(1.1)
        assert store.sweep() == []
        assert store.statuses(["alice"]) == {"alice": "online"}

    def test_one_device_that_leaves_can_change_the_status(self, store: Store) -> None:
        store.put([phone(), away(laptop())])
        store.drop([phone()])
        time.sleep(1.1)
        assert news(store.sweep()) == [("alice", "away")]

    def test_who_ran_out_unseen_and_comes_back_is_no_news(self, store: Store) -> None:
        store.put([phone()])
        time.sleep(TTL + 0.1)
        assert store.put([laptop()]) == []
        assert store.sweep() == []

    def test_who_was_never_there_can_leave(self, store: Store) -> None:
        store.drop([phone()])
        time.sleep(1.1)
        assert store.sweep() == []

    def test_without_a_grace_it_is_at_once(self, store: Store, settings: Settings) -> None:
        settings.PRESENCE_GRACE_SECONDS = 0
        store.put([phone()])
        store.drop([phone()])
        time.sleep(0.01)
        assert store.statuses(["alice"]) == {}
        assert news(store.sweep()) == [("alice", "offline")]

    def test_each_end_is_told_to_one_of_those_who_ask(self, store: Store, settings: Settings) -> None:
        settings.PRESENCE_GRACE_SECONDS = 0
        entries = [phone(f"user-{number}") for number in range(500)]
        store.put(entries)
        store.drop(entries)
        time.sleep(0.01)
        with ThreadPoolExecutor(8) as pool:
            found = [change for part in pool.map(lambda _: store.sweep(), range(8)) for change in part]
        assert sorted(news(found)) == sorted((entry.user_id, "offline") for entry in entries)


class TestSurplus:
    """Of more connections than a user may have, the oldest; ids are ordered by time."""

    @staticmethod
    def connections(count: int, user: str = "alice") -> list[Entry]:
        return [Entry(user, f"{user}-{number}", "online") for number in range(count)]

    def test_the_oldest_are_too_many_in_whatever_order_they_were_put(self, store: Store) -> None:
        store.put([*reversed(self.connections(5)), *self.connections(3, "bob"), *self.connections(4, "dora")])
        assert store.surplus(["alice", "bob", "charlie", "dora"], 3) == {
            "alice": ["alice-0", "alice-1"],
            "dora": ["dora-0"],
        }
        assert store.surplus([], 3) == {}

    def test_one_that_has_left_does_not_count_in_its_grace(self, store: Store) -> None:
        first, second, third = self.connections(3)
        store.put([first, second])
        store.drop([second])
        store.put([third])
        assert store.surplus(["alice"], 2) == {}
        assert store.surplus(["alice"], 1) == {"alice": ["alice-0"]}

    def test_one_that_ran_out_does_not_count_though_nobody_has_swept(self, store: Store) -> None:
        first, second, third = self.connections(3)
        store.put([first, second])
        time.sleep(TTL / 2)
        store.put([first])
        assert store.surplus(["alice"], 1) == {"alice": ["alice-0"]}
        time.sleep(TTL / 2 + 0.1)
        assert store.surplus(["alice"], 1) == {}
        store.put([third])
        assert store.surplus(["alice"], 2) == {}

    def test_of_many_users_at_once(self, store: Store) -> None:
        users = [f"user-{number}" for number in range(500)]
        store.put([entry for user in users for entry in self.connections(2, user)])
        assert store.surplus(users, 1) == {user: [f"{user}-0"] for user in users}


class TestWithoutRedis:
    def test_nobody_is_known_to_be_here_and_nothing_fails_or_waits(self) -> None:
        store = RedisStore(f"redis://127.0.0.1:{free_port()}/0", "test")
        started_at = time.monotonic()
        for _ in range(50):
            assert store.put([phone()]) == []
            store.drop([phone()])
            assert store.sweep() == []
            assert store.statuses(["alice"]) == {}
            assert store.surplus(["alice"], 0) == {}
        assert time.monotonic() - started_at < 2
