"""How much is unread, by room."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.services import delete_message, edit_message, mark_read
from rooms.services import add_members, create_room, leave_room, open_direct_room

pytestmark = pytest.mark.django_db

PATH = "/api/v1/unread"


class TestApi:
    def test_rooms_with_something_to_read_latest_first(self, alice, bob, room, say, client_of):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        create_room(alice, name="Quiet", member_ids=[bob.id])
        for content, key in (("Hi", "kitchen"), ("@bob @alice", "kitchen"), ("@bob", str(direct.id))):
            say(alice, content, room=key)
        assert client_of(bob).get(PATH).json() == {
            "total": 3,
            "rooms": [
                {"room_id": str(direct.id), "unread_count": 1, "mention_count": 1},
                {"room_id": str(room.id), "unread_count": 2, "mention_count": 1},
            ],
        }

    def test_what_i_wrote_and_what_i_read_is_read(self, alice, bob, room, say, client_of):
        for content in ("@bob 1", "@bob 2", "@bob 3"):
            say(alice, content)
        nothing = {"total": 0, "rooms": []}
        assert client_of(alice).get(PATH).json() == nothing
        mark_read(bob.id, "kitchen", seq=2)
        (found,) = client_of(bob).get(PATH).json()["rooms"]
        assert (found["unread_count"], found["mention_count"]) == (1, 1)
        say(bob, "Yes, @alice")
        assert client_of(bob).get(PATH).json() == nothing

    def test_an_edit_and_a_deletion_change_who_is_mentioned(self, alice, bob, room, say, client_of):
        def counts():
            (found,) = client_of(bob).get(PATH).json()["rooms"]
            return found["unread_count"], found["mention_count"]

        first, second = say(alice, "Hi"), say(alice, "@bob")
        assert counts() == (2, 1)
        edit_message(alice.id, message_id=first.id, content="Hi @bob")
        assert counts() == (2, 2)
        delete_message(alice.id, message_id=second.id)
        assert counts() == (2, 1)

    def test_it_agrees_with_the_rooms_and_the_snapshot(self, alice, bob, room, say, client_of):
        for _ in range(3):
            say(alice)
        client = client_of(bob)
        unread = client.get(PATH).json()
        assert unread["total"] == client.get("/api/v1/sync").json()["unread_total"]
        (shown,) = client.get("/api/v1/rooms").json()["results"]
        assert unread["rooms"][0]["unread_count"] == shown["my"]["unread_count"] == 3

    def test_others_rooms_and_those_i_left_are_not_there(self, alice, bob, charlie, room, say, client_of):
        say(alice, "@bob @charlie")
        leave_room(bob, room_key="kitchen")
        for user in (bob, charlie):
            assert client_of(user).get(PATH).json() == {"total": 0, "rooms": []}
        add_members(alice, room_key="kitchen", user_ids=[bob.id, charlie.id])
        say(alice, "@bob")
        (found,) = client_of(bob).get(PATH).json()["rooms"]
        assert (found["unread_count"], found["mention_count"]) == (1, 1)

    def test_anonymous_gets_401(self, anonymous):
        assert anonymous.get(PATH).status_code == 401

    def test_the_number_of_queries_does_not_grow_with_the_rooms(self, alice, bob, say, client_of):
        client, counts = client_of(bob), []
        for size in (1, 9, 90):
            for number in range(size):
                create_room(alice, name="R", slug=f"r-{size}-{number}", member_ids=[bob.id])
                say(alice, "@bob", room=f"r-{size}-{number}")
            with CaptureQueriesContext(connection) as queries:
                assert client.get(PATH).json()["rooms"]
            counts.append(len(queries))
        assert counts == [3, 3, 3]  # the session, the rooms, the mentions
