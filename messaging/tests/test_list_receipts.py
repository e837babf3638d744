import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services import update_me
from friendships.services import block_user
from messaging.services import mark_delivered, mark_read
from rooms.services import add_members, leave_room, open_direct_room, remove_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora():
    return User.objects.create_user("dora", "dora@example.com")


@pytest.fixture
def everyone(alice, bob, dora, room):
    """The kitchen with dora, too."""
    add_members(alice, room_key="kitchen", user_ids=[dora.id])
    return room


def path_of(message):
    return f"/api/v1/messages/{message.id}/receipts"


def receipts(client, message, **query):
    answer = client.get(path_of(message), query)
    assert answer.status_code == 200
    return [(row["user"]["username"], row["status"]) for row in answer.json()["results"]]


class TestApi:
    def test_nobody_has_it_yet(self, alice, everyone, say, client_of):
        assert receipts(client_of(alice), say(alice)) == []

    def test_some_have_got_it_and_some_have_read_it(self, alice, bob, dora, everyone, say, client_of):
        message = say(alice)
        mark_delivered(bob.id, "kitchen", seq=1)
        mark_delivered(dora.id, "kitchen", seq=1)
        mark_read(dora.id, "kitchen", seq=1)
        for viewer in (alice, bob, dora):
            assert receipts(client_of(viewer), message) == [("bob", "delivered"), ("dora", "read")]

    def test_a_row_has_a_card_and_a_status(self, alice, bob, room, say, client_of):
        message = say(alice)
        mark_read(bob.id, "kitchen", seq=1)
        body = client_of(alice).get(path_of(message)).json()
        assert body == {
            "results": [
                {
                    "user": {
                        "id": str(bob.id),
                        "username": "bob",
                        "display_name": "bob",
                        "avatar_url": None,
                        "is_bot": False,
                    },
                    "status": "read",
                }
            ],
            "next_cursor": None,
            "previous_cursor": None,
        }

    def test_who_has_read_further_has_read_it_and_the_other_way_round_not(
        self, alice, bob, room, say, client_of
    ):
        first, second = say(alice), say(alice)
        mark_read(bob.id, "kitchen", seq=1)
        assert receipts(client_of(alice), first) == [("bob", "read")]
        assert receipts(client_of(alice), second) == []

    def test_who_answers_has_read_it(self, alice, bob, room, say, client_of):
        message = say(alice)
        say(bob)
        assert receipts(client_of(alice), message) == [("bob", "read")]

    def test_the_sender_is_not_on_it(self, alice, bob, room, say, client_of):
        message = say(alice)
        mark_read(alice.id, "kitchen", seq=1)
        assert receipts(client_of(bob), message) == []

    def test_who_came_after_it_has_not_got_it(self, alice, bob, dora, room, say, client_of):
        before = say(alice)
        add_members(alice, room_key="kitchen", user_ids=[dora.id])
        after = say(alice)
        mark_read(dora.id, "kitchen", seq=2)
        assert receipts(client_of(alice), before) == []
        assert receipts(client_of(alice), after) == [("dora", "read")]

    def test_who_has_left_is_not_on_it(self, alice, bob, dora, everyone, say, client_of):
        message = say(alice)
        for user in (bob, dora):
            mark_read(user.id, "kitchen", seq=1)
        remove_member(alice, room_key="kitchen", user_id=bob.id)
        assert receipts(client_of(alice), message) == [("dora", "read")]

    def test_in_a_direct_room_a_block_hides_it_from_either_side_and_in_a_group_it_does_not(
        self, alice, bob, room, say, client_of
    ):
        direct = open_direct_room(alice, user_id=bob.id)[0]
        messages = [say(alice), say(alice, room=str(direct.id))]
        for where in (room, direct):
            mark_read(bob.id, str(where.id), seq=1)
        for message in messages:
            assert receipts(client_of(alice), message) == [("bob", "read")]
        block_user(bob, user_id=alice.id)
        assert [receipts(client_of(alice), message) for message in messages] == [[("bob", "read")], []]

    def test_without_read_receipts_only_that_it_was_delivered_is_told(
        self, alice, bob, dora, everyone, say, client_of
    ):
        message = say(alice)
        for user in (bob, dora):
            mark_read(user.id, "kitchen", seq=1)
        update_me(bob, settings={"read_receipts": False})
        assert receipts(client_of(alice), message) == [("dora", "read")]
        assert receipts(client_of(dora), message) == [("dora", "read")]
        mark_delivered(bob.id, "kitchen", seq=1)
        assert receipts(client_of(alice), message) == [("bob", "delivered"), ("dora", "read")]

    def test_who_keeps_them_to_themselves_sees_none_of_others_but_their_own(
        self, alice, bob, dora, everyone, say, client_of
    ):
        message = say(alice)
        for user in (bob, dora):
            mark_read(user.id, "kitchen", seq=1)
        for viewer in (alice, bob):
            update_me(viewer, settings={"read_receipts": False})
        assert receipts(client_of(alice), message) == []
        mark_delivered(dora.id, "kitchen", seq=1)
        assert receipts(client_of(alice), message) == [("dora", "delivered")]
        assert receipts(client_of(bob), message) == [("bob", "read"), ("dora", "delivered")]

    def test_who_answers_without_them_is_not_on_it(self, alice, bob, room, say, client_of):
        update_me(bob, settings={"read_receipts": False})
        message = say(alice)
        say(bob)
        assert receipts(client_of(alice), message) == []

    def test_pages_are_in_order_of_joining(self, alice, bob, dora, everyone, say, client_of):
        message, client = say(alice), client_of(alice)
        for user in (dora, bob):
            mark_read(user.id, "kitchen", seq=1)
        first = client.get(path_of(message), {"limit": 1}).json()
        assert receipts(client, message, limit=1) == [("bob", "read")]
        second = {"limit": 1, "cursor": first["next_cursor"]}
        assert receipts(client, message, **second) == [("dora", "read")]
        assert client.get(path_of(message), second).json()["next_cursor"] is None

    def test_to_a_stranger_and_to_one_who_left_it_is_404(self, alice, bob, charlie, room, say, client_of):
        message = say(bob)
        leave_room(bob, room_key="kitchen")
        for user in (bob, charlie):
            answer = client_of(user).get(path_of(message))
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert client_of(alice).get(f"/api/v1/messages/{uuid.uuid4()}/receipts").status_code == 404

    def test_anonymous_gets_401(self, alice, room, say, anonymous):
        assert anonymous.get(path_of(say(alice))).status_code == 401

    @pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "abc"}, {"cursor": "forged"}])
    def test_an_odd_parameter_is_400(self, alice, room, say, client_of, query):
        answer = client_of(alice).get(path_of(say(alice)), query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_the_number_of_queries_does_not_grow(self, alice, room, say, client_of):
        people = [User.objects.create_user(f"user{n}", f"user{n}@example.com") for n in range(100)]
        add_members(alice, room_key="kitchen", user_ids=[person.id for person in people])
        message, client, counts = say(alice), client_of(alice), []
        for person in people:
            mark_read(person.id, "kitchen", seq=1)
        for limit in (1, 10, 100):
            with CaptureQueriesContext(connection) as queries:
                assert len(receipts(client, message, limit=limit)) == limit
            counts.append(len(queries))
        assert counts == [3, 3, 3]  # the session, the message with its room, the members with their users
