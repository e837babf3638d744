"""Pinning a message to its room."""

import uuid

import pytest
from django.db import transaction

from core.errors import Blocked, Conflict, Forbidden, NotFound, RoomLocked
from eventlog.models import Event
from friendships.services import block_user
from messaging.models import Message, Pin
from messaging.services import delete_message, pin_message
from rooms.models import Membership, Room
from rooms.services import create_room, leave_room, open_direct_room

pytestmark = pytest.mark.django_db


def path(message):
    return f"/api/v1/messages/{message.id}/pin"


@pytest.fixture
def message(bob, room, say):
    return say(bob)


class TestService:
    def test_the_message_is_pinned(self, alice, message):
        pin_message(alice.id, message_id=message.id)
        message.refresh_from_db()
        assert message.pinned_at is not None
        assert Pin.objects.get().message_id == message.id

    def test_the_event_is_exactly_this(self, alice, room, message, events_of, shown):
        pin_message(alice.id, message_id=message.id)
        frame = events_of(room.stream)[-1]
        assert (frame["type"], frame["pos"]) == ("message.pinned", 2)
        assert frame["data"] == {
            "message_id": str(message.id),
            "room_id": str(room.id),
            "seq": 1,
            "by": str(alice.id),
            "pinned_at": shown(alice, message)["pinned_at"],
        }
        event = Event.objects.get(pos=2)
        assert (event.actor_id, event.object_id) == (alice.id, message.id)

    def test_a_repeat_changes_nothing(self, alice, room, message, events_of):
        pin_message(alice.id, message_id=message.id)
        heard, since = events_of(room.stream), Message.objects.get().pinned_at
        pin_message(alice.id, message_id=message.id)
        assert (events_of(room.stream), Message.objects.get().pinned_at) == (heard, since)

    def test_admins_and_owners_may_and_members_may_not(self, alice, bob, message):
        with pytest.raises(Forbidden):
            pin_message(bob.id, message_id=message.id)
        Membership.objects.filter(user=bob).update(role="admin")
        pin_message(bob.id, message_id=message.id)
        assert Pin.objects.exists()

    def test_in_a_direct_room_both_may(self, alice, bob, say):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        for user in (alice, bob):
            pin_message(user.id, message_id=say(alice, room=str(direct.id)).id)
        assert Pin.objects.count() == 2

    def test_a_room_takes_so_many(self, alice, room, say, settings):
        settings.MAX_PINS = 2
        for _ in range(2):
            pin_message(alice.id, message_id=say(alice).id)
        with pytest.raises(Conflict):
            pin_message(alice.id, message_id=say(alice).id)
        create_room(alice, name="Other", slug="other")
        pin_message(alice.id, message_id=say(alice, room="other").id)
        assert Pin.objects.count() == 3

    def test_a_stranger_and_one_who_left_find_nothing(self, bob, charlie, message):
        leave_room(bob, room_key="kitchen")
        for user_id, message_id in (
            (bob.id, message.id),
            (charlie.id, message.id),
            (charlie.id, uuid.uuid4()),
        ):
            with pytest.raises(NotFound):
                pin_message(user_id, message_id=message_id)

    def test_not_a_deleted_one(self, alice, message):
        delete_message(alice.id, message_id=message.id)
        with pytest.raises(Conflict):
            pin_message(alice.id, message_id=message.id)

    def test_not_in_an_archived_room(self, alice, message):
        Room.objects.update(state="archived")
        with pytest.raises(RoomLocked):
            pin_message(alice.id, message_id=message.id)

    def test_not_between_two_of_whom_one_has_blocked_the_other(self, alice, bob, say):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        message = say(alice, room=str(direct.id))
        block_user(alice, user_id=bob.id)
        with pytest.raises(Blocked):
            pin_message(bob.id, message_id=message.id)

    @pytest.mark.django_db(transaction=True)
    def test_it_is_told_after_the_commit_and_not_at_all_after_a_rollback(
        self, alice, room, message, announced
    ):
        with transaction.atomic():
            pin_message(alice.id, message_id=message.id)
            transaction.set_rollback(True)
        assert not Pin.objects.exists()
        with transaction.atomic():
            pin_message(alice.id, message_id=message.id)
            assert announced() == []
        assert announced() == [(room.stream, "message.pinned")]

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_no_more_are_pinned_than_a_room_takes(self, alice, room, say, race, settings):
        settings.MAX_PINS = 2
        for _ in range(10):
            messages = [say(alice) for _ in range(4)]
            outcomes = race(
                *(
                    lambda message=message: pin_message(alice.id, message_id=message.id)
                    for message in messages
                )
            )
            assert [type(outcome) for outcome in outcomes if outcome is not None] == [Conflict, Conflict]
            Pin.objects.all().delete()


class TestApi:
    def test_the_answer_is_the_message(self, alice, message, client_of, shown):
        client = client_of(alice)
        answer = client.put(path(message))
        assert (answer.status_code, answer.json()) == (200, shown(alice, message))
        assert answer.json()["pinned_at"].endswith("Z")
        assert client.put(path(message)).json() == answer.json()

    def test_anonymous_gets_401(self, message, anonymous):
        assert anonymous.put(path(message)).status_code == 401

    def test_a_stranger_gets_404(self, charlie, message, client_of):
        answer = client_of(charlie).put(path(message))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_a_member_gets_403(self, bob, message, client_of):
        answer = client_of(bob).put(path(message))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_one_too_many_is_409(self, alice, message, client_of, settings):
        settings.MAX_PINS = 0
        answer = client_of(alice).put(path(message))
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
