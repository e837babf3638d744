"""`manage.py seed`: the demo that README and tests rely on."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.selectors import user_with_credentials
from friendships.selectors import are_friends
from messaging.models import Message
from rooms.models import Membership, Room

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _debug(settings: Settings) -> None:
    settings.DEBUG = True


def seed(**options: object) -> None:
    call_command("seed", **{"users": 3, "rooms": 2, "messages": 30, "verbosity": 0, **options})


def test_the_cast_can_log_in_and_shares_the_demo_room_with_the_bot() -> None:
    seed()
    for name in ("alice", "bob", "carol", "moderator", "admin"):
        assert user_with_credentials(name, f"{name}-demo-2026") is not None
    room = Room.objects.get(slug="room-123")
    members = Membership.active.filter(room=room).values_list("user__username", flat=True)
    assert set(members) == {"alice", "bob", "echo"}
    assert are_friends(User.objects.get(username="alice").id, User.objects.get(username="bob").id)


def test_it_makes_as_many_as_asked_for() -> None:
    seed(users=4, rooms=3, messages=50)
    assert User.objects.filter(username__startswith="user").count() == 4
    assert Room.objects.count() == 2 + 3
    assert Message.objects.count() == 50


def test_the_same_seed_says_the_same() -> None:
    def told() -> list[tuple[str, str]]:
        rows = Message.objects.order_by("room__name", "seq")
        return list(rows.values_list("sender__username", "content"))

    seed(seed=1)
    first = told()
    seed(seed=1, reset=True)
    assert told() == first
    seed(seed=2, reset=True)
    assert told() != first


def test_on_a_database_with_people_it_stops_or_does_nothing() -> None:
    seed()
    with pytest.raises(CommandError, match="--reset"):
        seed()
    before = User.objects.count()
    seed(if_empty=True)
    assert User.objects.count() == before


def test_outside_debug_it_must_be_told_twice(settings: Settings) -> None:
    settings.DEBUG = False
    for options in ({}, {"outside_debug": True}, {"yes_really": True}):
        with pytest.raises(CommandError, match="public passwords"):
            seed(**options)
    assert not User.objects.exists()
    seed(outside_debug=True, yes_really=True)
    assert User.objects.exists()


def test_the_moderator_sees_the_chat_in_the_admin_but_cannot_make_staff(client: Client) -> None:
    seed()
    client.force_login(User.objects.get(username="moderator"))
    assert client.get("/admin/rooms/room/").status_code == 200
    assert client.get("/admin/auth/group/").status_code == 403
