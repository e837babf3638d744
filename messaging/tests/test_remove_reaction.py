"""Taking a reaction back."""

from itertools import pairwise
from urllib.parse import quote

import pytest
from django.db import transaction

from core.errors import NotFound, ValidationFailed
from friendships.services import block_user
from messaging.models import Reaction
from messaging.services import add_reaction, delete_message, remove_reaction
from rooms.models import Room
from rooms.services import open_direct_room
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db


def path(message, emoji="👍"):
    return f"/api/v1/messages/{message.id}/reactions/{quote(emoji)}"


@pytest.fixture
def message(alice, bob, room, say):
    """A message with a thumb of alice and of bob."""
    message = say(alice)
    for user in (alice, bob):
        add_reaction(user.id, message_id=message.id, emoji="👍")
    return message


class TestService:
    def test_mine_goes_and_others_stay(self, alice, bob, message):
        assert remove_reaction(bob.id, message_id=message.id, emoji="👍").count == 1
        assert Reaction.objects.get().user == alice

    def test_the_event_is_exactly_this(self, bob, room, message, events_of):
        remove_reaction(bob.id, message_id=message.id, emoji="👍")
        frame = events_of(room.stream)[-1]
        assert (frame["type"], frame["pos"]) == ("reaction.removed", 4)
        assert frame["data"] == {
            "message_id": str(message.id),
            "room_id": str(room.id),
            "seq": 1,
            "emoji": "👍",
            "user_id": str(bob.id),
            "count": 1,
        }

    @pytest.mark.parametrize("emoji", ["👍🏽", "👎"])
    def test_one_that_is_not_there_changes_nothing(self, bob, room, message, events_of, emoji):
        heard = events_of(room.stream)
        assert remove_reaction(bob.id, message_id=message.id, emoji=emoji).count == 0
        assert events_of(room.stream) == heard
        assert Reaction.objects.count() == 2

    def test_of_the_last_one_nothing_is_left(self, alice, bob, message, shown):
        for user in (alice, bob):
            assert shown(alice, message)["reactions"] != []
            remove_reaction(user.id, message_id=message.id, emoji="👍")
        assert shown(alice, message)["reactions"] == []
        message.refresh_from_db()
        assert message.reaction_count == 0

    def test_what_looks_the_same_is_the_same(self, bob, message):
        remove_reaction(bob.id, message_id=message.id, emoji="👍\ufe0f")
        assert Reaction.objects.count() == 1

    def test_what_is_no_emoji_is_refused(self, bob, message):
        with pytest.raises(ValidationFailed):
            remove_reaction(bob.id, message_id=message.id, emoji="no")

    def test_a_stranger_finds_nothing(self, charlie, message):
        with pytest.raises(NotFound):
            remove_reaction(charlie.id, message_id=message.id, emoji="👍")

    def test_what_is_mine_i_may_take_back_anywhere(self, alice, bob, message, say):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        to_bob = say(alice, room=str(direct.id))
        add_reaction(bob.id, message_id=to_bob.id, emoji="👍")
        block_user(alice, user_id=bob.id)
        Room.objects.filter(id=message.room_id).update(state="locked")
        for one in (message, to_bob):
            remove_reaction(bob.id, message_id=one.id, emoji="👍")
        assert not Reaction.objects.filter(user=bob).exists()

    def test_from_a_deleted_one_they_are_gone_already(self, alice, bob, room, message, events_of):
        delete_message(alice.id, message_id=message.id)
        heard = events_of(room.stream)
        assert remove_reaction(bob.id, message_id=message.id, emoji="👍").count == 0
        assert events_of(room.stream) == heard

    @pytest.mark.django_db(transaction=True)
    def test_it_is_told_after_the_commit_and_not_at_all_after_a_rollback(self, bob, room, message, announced):
        with transaction.atomic():
            remove_reaction(bob.id, message_id=message.id, emoji="👍")
            transaction.set_rollback(True)
        assert Reaction.objects.count() == 2
        with transaction.atomic():
            remove_reaction(bob.id, message_id=message.id, emoji="👍")
            assert announced() == []
        assert announced() == [(room.stream, "reaction.removed")]

    @pytest.mark.django_db(transaction=True)
    def test_of_adding_and_removing_at_once_the_last_event_is_how_it_is(
        self, bob, room, message, race, events_of
    ):
        for _ in range(10):
            race(
                lambda: add_reaction(bob.id, message_id=message.id, emoji="👍"),
                lambda: remove_reaction(bob.id, message_id=message.id, emoji="👍"),
                lambda: remove_reaction(bob.id, message_id=message.id, emoji="👍"),
            )
            frames = [frame for frame in events_of(room.stream) if frame["type"].startswith("reaction")]
            assert Reaction.objects.filter(user=bob).exists() is (frames[-1]["type"] == "reaction.added")
            kinds = [frame["type"] for frame in frames if frame["data"]["user_id"] == str(bob.id)]
            assert all(one != next_ for one, next_ in pairwise(kinds))


class TestApi:
    def test_the_answer_is_what_is_left(self, bob, message, client_of):
        for _ in range(2):
            answer = client_of(bob).delete(path(message))
            assert answer.status_code == 200
            assert answer.json() == {"reactions": [{"emoji": "👍", "count": 1, "me": False}]}

    def test_without_any_it_is_empty(self, alice, bob, message, client_of):
        remove_reaction(alice.id, message_id=message.id, emoji="👍")
        assert client_of(bob).delete(path(message)).json() == {"reactions": []}

    def test_anonymous_gets_401(self, message, anonymous):
        assert anonymous.delete(path(message)).status_code == 401

    def test_a_stranger_gets_404(self, charlie, message, client_of):
        answer = client_of(charlie).delete(path(message))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_what_is_no_emoji_is_400(self, bob, message, client_of):
        answer = client_of(bob).delete(path(message, "no"))
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


class TestFrame:
    async def test_everyone_gets_the_event_and_who_removes_an_ack_that_says_the_same(
        self, each_server: LiveServer
    ) -> None:
        alice, bob, charlie = (Person(each_server, name) for name in ("alice", "bob", "charlie"))
        room = alice.direct_room_with(bob)
        message = alice.call("POST", f"/rooms/{room}/messages", json={"content": "Hi"}).json()
        reaction = {"message_id": message["id"], "emoji": "👍"}
        async with alice.socket() as hers, bob.socket() as his, charlie.socket() as stranger:
            for socket in (hers, his, stranger):
                await socket.until("ready")
            await his.ask("reaction.add", reaction)
            ack = await his.ask("reaction.remove", reaction)
            event = await hers.until("reaction.removed")
            assert (ack["type"], ack["data"]) == ("ack", event["data"])
            assert event["data"]["count"] == 0
            refused = await stranger.ask("reaction.remove", reaction)
            assert (refused["type"], refused["data"]["code"]) == ("error", "not_found")
