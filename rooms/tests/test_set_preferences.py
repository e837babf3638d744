"""PATCH /rooms/{id}/me: muted or pinned, for me alone."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from core.errors import NotFound
from eventlog.models import Event
from rooms import services
from rooms.models import Membership
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db

URL = "/api/v1/rooms/kitchen/me"
LATER = datetime(2999, 1, 1, tzinfo=UTC)


def prefer(user, key="kitchen", **changes):
    return services.set_preferences(user, room_key=key, **changes)


class TestService:
    def test_what_is_given_becomes_another_and_is_mine_alone(self, alice, bob, room, membership_of):
        prefer(bob, pinned=True)
        prefer(bob, muted_until=LATER)
        mine, hers = membership_of(bob, room), membership_of(alice, room)
        assert (mine.pinned, mine.muted_until, mine.silenced_until) == (True, LATER, None)
        assert (hers.pinned, hers.muted_until) == (False, None)

    def test_only_my_own_stream_hears_of_it(self, alice, bob, room, events_of):
        prefer(bob, pinned=True, muted_until=LATER)
        frame = events_of(f"user:{bob.id}")[-1]
        assert (frame["type"], frame["pos"]) == ("room.preferences", 2)
        assert frame["data"] == {
            "room_id": str(room.id),
            "muted_until": "2999-01-01T00:00:00.000Z",
            "pinned": True,
        }
        event = Event.objects.get(stream__name=f"user:{bob.id}", pos=2)
        assert (event.actor_id, event.object_id, event.ends_for, event.opens) == (bob.id, room.id, "", "")
        assert events_of(room.stream) == []
        assert len(events_of(f"user:{alice.id}")) == 1

    def test_the_same_again_changes_nothing_and_tells_nobody(self, bob, room, events_of):
        prefer(bob, pinned=True)
        before = events_of(f"user:{bob.id}")
        for changes in ({}, {"pinned": True}, {"muted_until": None}):
            prefer(bob, **changes)
        assert events_of(f"user:{bob.id}") == before

    def test_a_direct_room_can_be_muted_too(self, alice, bob):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        assert prefer(bob, str(room.id), muted_until=LATER).muted_until == LATER

    def test_a_stranger_and_who_has_left_find_no_room(self, bob, charlie, room):
        services.leave_room(bob, room_key="kitchen")
        for user in (bob, charlie):
            with pytest.raises(NotFound):
                prefer(user, pinned=True)

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, bob, room, announced, membership_of):
        with transaction.atomic():
            prefer(bob, pinned=True)
            assert announced() == []
            transaction.set_rollback(True)
        assert announced() == []
        assert not membership_of(bob, room).pinned
        prefer(bob, pinned=True)
        assert announced() == [(f"user:{bob.id}", "room.preferences")]

    @pytest.mark.django_db(transaction=True)
    def test_of_two_devices_at_once_both_are_kept(self, bob, room, race, events_of):
        for turn in range(10):
            until, pinned = LATER.replace(day=turn + 1), turn % 2 == 0
            race(
                lambda until=until: prefer(bob, muted_until=until),
                lambda pinned=pinned: prefer(bob, pinned=pinned),
            )
            mine = Membership.objects.get(user=bob)
            assert (mine.muted_until, mine.pinned) == (until, pinned)
            assert events_of(f"user:{bob.id}")[-1]["data"]["pinned"] is pinned


class TestApi:
    def test_they_come_back_as_the_event_has_them(self, bob, room, client_of, events_of):
        client = client_of(bob)
        answer = client.patch(URL, {"muted_until": "2999-01-01T00:00:00Z", "pinned": True})
        assert answer.status_code == 200
        assert answer.json() == events_of(f"user:{bob.id}")[-1]["data"]
        my = client.get("/api/v1/rooms/kitchen").json()["my"]
        assert (my["muted_until"], my["pinned"]) == ("2999-01-01T00:00:00.000Z", True)
        assert client.patch(URL, {"muted_until": None}).json()["muted_until"] is None

    @pytest.mark.parametrize(
        ("body", "code", "attr"),
        [
            ({"pinned": None}, "validation_error", "pinned"),
            ({"pinned": "yes"}, "validation_error", "pinned"),
            ({"pinned": 1}, "validation_error", "pinned"),
            ({"muted_until": "2001-01-01T00:00:00Z"}, "validation_error", "muted_until"),
            ({"muted_until": "2999-01-01T00:00:00"}, "validation_error", "muted_until"),
            ({"role": "owner"}, "unknown_field", "role"),
            ({"last_read_seq": 0}, "unknown_field", "last_read_seq"),
        ],
    )
    def test_an_invalid_body_is_400(self, bob, room, client_of, body, code, attr):
        answer = client_of(bob).patch(URL, body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]

    def test_a_stranger_gets_404(self, charlie, room, client_of):
        assert client_of(charlie).patch(URL, {"pinned": True}).status_code == 404

    def test_anonymous_gets_401(self, room, anonymous):
        assert anonymous.patch(URL, {"pinned": True}).status_code == 401


class TestFrame:
    async def test_my_devices_hear_of_it_and_nobody_else(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.group(bob)
        async with alice.socket() as hers, bob.socket() as phone, bob.socket() as laptop:
            for socket in (hers, phone, laptop):
                await socket.until("ready")
            bob.call("PATCH", f"/rooms/{room}/me", json={"pinned": True})
            for socket in (phone, laptop):
                frame = await socket.until("room.preferences")
                assert frame["data"] == {"room_id": room, "muted_until": None, "pinned": True}
            await hers.nothing_for()
