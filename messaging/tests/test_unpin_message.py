"""Taking a pin back."""

import pytest
from django.db import transaction

from core.errors import Forbidden, NotFound
from friendships.services import block_user
from messaging.models import Message, Pin
from messaging.services import delete_message, pin_message, unpin_message
from rooms.models import Room
from rooms.services import open_direct_room

pytestmark = pytest.mark.django_db


def path(message):
    return f"/api/v1/messages/{message.id}/pin"


@pytest.fixture
def message(alice, bob, room, say):
    """A message of bob's that alice has pinned."""
    message = say(bob)
    pin_message(alice.id, message_id=message.id)
    return message


class TestService:
    def test_it_is_pinned_no_more(self, alice, message):
        unpin_message(alice.id, message_id=message.id)
        assert Message.objects.get().pinned_at is None
        assert not Pin.objects.exists()

    def test_the_event_is_exactly_this(self, alice, room, message, events_of):
        unpin_message(alice.id, message_id=message.id)
        frame = events_of(room.stream)[-1]
        assert (frame["type"], frame["pos"]) == ("message.unpinned", 3)
        assert frame["data"] == {
            "message_id": str(message.id),
            "room_id": str(room.id),
            "seq": 1,
            "by": str(alice.id),
        }

    def test_a_repeat_changes_nothing(self, alice, room, message, events_of):
        unpin_message(alice.id, message_id=message.id)
        heard = events_of(room.stream)
        unpin_message(alice.id, message_id=message.id)
        assert events_of(room.stream) == heard

    def test_members_may_not_and_strangers_find_nothing(self, bob, charlie, message):
        with pytest.raises(Forbidden):
            unpin_message(bob.id, message_id=message.id)
        with pytest.raises(NotFound):
            unpin_message(charlie.id, message_id=message.id)
        assert Pin.objects.exists()

    def test_also_in_a_locked_room_and_between_blocked_ones(self, alice, bob, message, say):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        to_bob = say(alice, room=str(direct.id))
        pin_message(bob.id, message_id=to_bob.id)
        block_user(bob, user_id=alice.id)
        Room.objects.filter(id=message.room_id).update(state="archived")
        for one in (message, to_bob):
            unpin_message(alice.id, message_id=one.id)
        assert not Pin.objects.exists()

    def test_with_a_deletion_it_is_gone_already(self, alice, room, message, events_of):
        delete_message(alice.id, message_id=message.id)
        heard = events_of(room.stream)
        unpin_message(alice.id, message_id=message.id)
        assert events_of(room.stream) == heard

    @pytest.mark.django_db(transaction=True)
    def test_it_is_told_after_the_commit_and_not_at_all_after_a_rollback(
        self, alice, room, message, announced
    ):
        with transaction.atomic():
            unpin_message(alice.id, message_id=message.id)
            transaction.set_rollback(True)
        assert Pin.objects.exists()
        with transaction.atomic():
            unpin_message(alice.id, message_id=message.id)
            assert announced() == []
        assert announced() == [(room.stream, "message.unpinned")]

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_one_does_it(self, alice, room, message, race, events_of):
        race(*(lambda: unpin_message(alice.id, message_id=message.id) for _ in range(4)))
        types = [frame["type"] for frame in events_of(room.stream)]
        assert types == ["message", "message.pinned", "message.unpinned"]


class TestApi:
    def test_the_answer_is_the_message(self, alice, message, client_of, shown):
        for _ in range(2):
            answer = client_of(alice).delete(path(message))
            assert (answer.status_code, answer.json()) == (200, shown(alice, message))
            assert answer.json()["pinned_at"] is None

    def test_anonymous_gets_401(self, message, anonymous):
        assert anonymous.delete(path(message)).status_code == 401

    def test_a_stranger_gets_404_and_a_member_403(self, bob, charlie, message, client_of):
        for user, status, code in ((charlie, 404, "not_found"), (bob, 403, "forbidden")):
            answer = client_of(user).delete(path(message))
            assert (answer.status_code, answer.json()["code"]) == (status, code)
