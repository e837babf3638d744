"""What the tests of friendships share: a friendship, a race, and an ear for what was committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from core.errors import ChatError
from eventlog.signals import events_committed
from friendships.services import accept_request, request_friendship


@pytest.fixture
def befriend(db: None) -> Callable[[User, User], None]:
    """Makes two users friends: the first one asks, the other one accepts."""

    def make(one: User, other: User) -> None:
        accept_request(other, request_id=request_friendship(one, user_id=other.id).id)

    return make


@pytest.fixture
def race() -> Callable[..., list[Any]]:
    """Runs calls at the same moment, a thread each; what each returned, or the ChatError that it raised."""

    def run(*calls: Callable[[], Any]) -> list[Any]:
        start = Barrier(len(calls))

        def outcome(call: Callable[[], Any]) -> Any:
            try:
                start.wait(timeout=10)
                return call()
            except ChatError as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(outcome, calls))

    return run


@pytest.fixture
def announced() -> Iterator[list[tuple[str, str]]]:
    """(stream, type) of every event that a commit announced, in order."""
    heard: list[tuple[str, str]] = []

    def hear(*, events: list[Any], **_signal: Any) -> None:
        heard.extend((event.stream, event.type) for event in events)

    events_committed.connect(hear)
    yield heard
    events_committed.disconnect(hear)
