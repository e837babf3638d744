import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging import selectors, services
from rooms.services import add_members, create_room

pytestmark = pytest.mark.django_db


class TestService:
    def test_rooms_without_a_message_are_left_out(self, alice, room, say):
        quiet = create_room(alice, name="Quiet")
        say(alice, "Old")
        newest = say(alice, "New")
        room.refresh_from_db()
        found = selectors.last_messages(alice, [room, quiet])
        assert {room_id: message.id for room_id, message in found.items()} == {room.id: newest.id}

    def test_where_there_is_none_no_query_is_made(self, alice, room, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert selectors.last_messages(alice, [room]) == {}


class TestApi:
    def test_the_list_of_rooms_and_the_room_show_it(self, alice, bob, say, client_of):
        client = client_of(bob)
        assert client.get("/api/v1/rooms/kitchen").json()["last_message"] is None
        say(alice, "Old")
        message = say(alice, "New")
        shown = client.get(f"/api/v1/messages/{message.id}").json()
        (in_list,) = client.get("/api/v1/rooms").json()["results"]
        assert in_list["last_message"] == client.get("/api/v1/rooms/kitchen").json()["last_message"] == shown
        assert (in_list["last_seq"], in_list["my"]["unread_count"]) == (2, 2)

    def test_the_room_of_the_newest_message_comes_first(self, alice, bob, say, client_of):
        create_room(alice, name="Attic")
        client = client_of(alice)
        assert [room["name"] for room in client.get("/api/v1/rooms").json()["results"]] == [
            "Attic",
            "Kitchen",
        ]
        say(bob)
        assert [room["name"] for room in client.get("/api/v1/rooms").json()["results"]] == [
            "Kitchen",
            "Attic",
        ]

    def test_who_is_added_sees_it_in_room_joined(self, alice, charlie, say, events_of):
        message = say(alice)
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        (frame,) = events_of(f"user:{charlie.id}")
        assert frame["data"]["room"]["last_message"]["id"] == str(message.id)

    def test_the_number_of_queries_does_not_grow_with_the_rooms(self, alice, draft_of, client_of):
        client, counts = client_of(alice), []
        for size in (1, 10, 29):
            rooms = [create_room(alice, name="Room") for _ in range(size)]
            services.send_messages([draft_of(alice, room=str(room.id)) for room in rooms])
            with CaptureQueriesContext(connection) as queries:
                answer = client.get("/api/v1/rooms", {"limit": 100}).json()
            assert len([room for room in answer["results"] if room["last_message"]]) >= size
            counts.append(len(queries))
        assert len(set(counts)) == 1
        assert counts[0] <= 5
