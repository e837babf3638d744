"""A group of alice, its owner, and bob; and what tests of rooms need besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from eventlog.log import LoggedEvent
from eventlog.signals import events_committed
from rooms import services
from rooms.models import Membership, Room


@pytest.fixture
def room(alice: User, bob: User) -> Room:
    return services.create_room(alice, name="Kitchen", slug="kitchen", member_ids=[bob.id])


@pytest.fixture
def membership_of(db: None) -> Callable[[User, Room], Membership]:
    """The row as the database has it now, ended or not."""
    return lambda user, room: Membership.objects.get(user=user, room=room)


@pytest.fixture
def committed(db: None) -> Iterator[list[LoggedEvent]]:
    """The events that were announced after a commit, as they come."""
    seen: list[LoggedEvent] = []

    def receive(events: list[LoggedEvent], **_: Any) -> None:
        seen.extend(events)

    events_committed.connect(receive)
    yield seen
    events_committed.disconnect(receive)


@pytest.fixture
def race() -> Callable[..., list[Any]]:
    """Runs each callable on a thread of its own, all at once; returns what they return or raise."""

    def run(*works: Callable[[], Any]) -> list[Any]:
        start, outcomes = Barrier(len(works)), [None] * len(works)

        def one(place: int, work: Callable[[], Any]) -> None:
            try:
                start.wait()
                outcomes[place] = work()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                outcomes[place] = error
            finally:
                connection.close()

        threads = [Thread(target=one, args=pair) for pair in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes

    return run
