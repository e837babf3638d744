"""Rooms that show newcomers nothing of the past: it is there by no way for them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import NotFound
from messaging import selectors, services
from messaging.models import Message
from rooms.schemas import room_frame
from rooms.selectors import unread_total
from rooms.services import add_members, create_room, join_room, leave_room, update_room

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rooms/kitchen/messages"


@pytest.fixture
def past(alice, bob, room, say):
    """Three messages from before the room was told to keep its past to itself."""
    sent = [say(user, f"Secret {n}") for n, user in enumerate((alice, bob, alice))]
    update_room(alice, room_key="kitchen", history="joined", visibility="public")
    return sent


@pytest.fixture
def newcomer(charlie, past):
    """charlie, who comes after that."""
    join_room(charlie, room_key="kitchen")
    return charlie


def seqs(answer):
    return [message["seq"] for message in answer.json()["results"]]


class TestService:
    def test_the_past_is_not_among_what_a_newcomer_may_read(self, bob, newcomer, past, say):
        new = say(bob)
        assert list(selectors.readable_messages(newcomer)) == [new]
        assert set(selectors.readable_messages(bob)) == {*past, new}
        assert [row.seq for row in selectors.messages_in(newcomer, "kitchen")] == [4]
        with pytest.raises(NotFound):
            selectors.get_message(newcomer, past[2].id)

    def test_who_came_before_it_was_set_and_who_comes_after_it_was_lifted_read_all(
        self, alice, bob, charlie, past, say
    ):
        update_room(alice, room_key="kitchen", history="all")
        join_room(charlie, room_key="kitchen")
        for user in (bob, charlie):
            assert selectors.readable_messages(user).count() == 3

    def test_lifting_it_opens_nothing_to_who_came_meanwhile(self, alice, newcomer):
        update_room(alice, room_key="kitchen", history="all")
        assert not selectors.readable_messages(newcomer).exists()

    def test_who_comes_back_begins_anew(self, bob, past, say):
        leave_room(bob, room_key="kitchen")
        join_room(bob, room_key="kitchen")
        assert not selectors.readable_messages(bob).exists()

    def test_a_new_room_has_no_past(self, alice, bob, draft_of):
        room = create_room(alice, name="New", history="joined", member_ids=[bob.id])
        services.send_message(draft_of(alice, room=str(room.id)))
        assert selectors.readable_messages(bob).count() == 1

    def test_nothing_of_it_counts_as_unread(self, alice, newcomer, say):
        assert unread_total(newcomer) == 0
        assert services.mark_read(newcomer.id, "kitchen", seq=1).unread_count == 0
        say(alice)
        assert unread_total(newcomer) == 1
        assert services.mark_read(newcomer.id, "kitchen", seq=2).unread_count == 1

    def test_the_last_message_is_none_until_there_is_one_for_them(
        self, alice, bob, newcomer, past, room, say
    ):
        room.refresh_from_db()
        assert selectors.last_messages(newcomer, [room]) == {}
        assert selectors.last_messages(bob, [room])[room.id].id == past[2].id
        new = say(alice)
        room.refresh_from_db()
        assert selectors.last_messages(newcomer, [room])[room.id].id == new.id

    def test_who_is_no_member_has_no_last_message(self, charlie, past, room):
        room.refresh_from_db()
        assert selectors.last_messages(charlie, [room]) == {}

    def test_a_frame_for_all_has_no_last_message_that_one_may_not_read(self, alice, newcomer, room, say):
        room.refresh_from_db()
        assert room_frame(room).last_message is None
        new = say(alice)
        room.refresh_from_db()
        assert room_frame(room).last_message.id == new.id

    def test_each_newcomer_is_told_of_the_last_message_as_far_as_they_may_read(
        self, alice, charlie, past, events_of
    ):
        join_room(charlie, room_key="kitchen")
        (joined,) = events_of(f"user:{charlie.id}")
        assert joined["data"]["room"]["last_message"] is None
        assert joined["data"]["room"]["my"]["unread_count"] == 0
        leave_room(charlie, room_key="kitchen")
        update_room(alice, room_key="kitchen", history="all")
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        assert events_of(f"user:{charlie.id}")[-1]["data"]["room"]["last_message"]["id"] == str(past[2].id)

    def test_a_reply_to_it_is_not_found(self, newcomer, bob, past, say):
        with pytest.raises(NotFound):
            say(newcomer, reply_to=str(past[0].id))
        assert say(bob, reply_to=str(past[0].id)).reply_to == past[0]

    def test_a_repeat_from_before_is_answered(self, bob, past, say, client_of):
        body = {"content": "Hi", "client_message_id": "c-1"}
        first = client_of(bob).post(PATH, body).json()
        leave_room(bob, room_key="kitchen")
        join_room(bob, room_key="kitchen")
        again = client_of(bob).post(PATH, body)
        assert (again.status_code, again.json()["id"]) == (200, first["id"])


class TestApi:
    @pytest.mark.parametrize("query", [{}, {"after": 0}, {"before": 9}, {"around": 2}, {"around": 5}])
    def test_no_page_reaches_it(self, alice, bob, newcomer, say, client_of, query):
        client = client_of(newcomer)
        assert seqs(client.get(PATH, query)) == []
        say(alice)
        say(bob)
        page = client.get(PATH, {**query, "limit": 4})
        assert sorted(seqs(page)) == [4, 5]
        assert page.json()["next_cursor"] is None
        assert sorted(seqs(client_of(bob).get(PATH, {**query, "limit": 100}))) == [1, 2, 3, 4, 5]

    def test_a_cursor_of_someone_else_leads_no_further(self, alice, bob, newcomer, say, client_of):
        for _ in range(3):
            say(alice)
        cursor = client_of(bob).get(PATH, {"limit": 2}).json()["next_cursor"]
        assert seqs(client_of(bob).get(PATH, {"cursor": cursor})) == [4, 3, 2, 1]
        assert seqs(client_of(newcomer).get(PATH, {"cursor": cursor})) == [4]

    def test_no_answer_and_no_event_of_theirs_holds_it(
        self, alice, newcomer, past, client_of, events_of, room
    ):
        update_room(alice, room_key="kitchen", topic="Hi")
        client = client_of(newcomer)
        assert client.get(f"/api/v1/messages/{past[0].id}").status_code == 404
        bodies = [
            client.get(f"/api/v1{path}").content.decode()
            for path in (
                "/rooms",
                "/rooms/kitchen",
                "/rooms/kitchen/messages",
                "/rooms/kitchen/members",
                "/sync",
            )
        ]
        mine = events_of(f"user:{newcomer.id}")
        since = mine[0]["data"]["pos"]
        theirs = [event for event in events_of(room.stream) if event["pos"] > since]
        assert [event["type"] for event in theirs] == ["room.updated"]
        assert "Secret" not in "".join([*bodies, *map(str, [*mine, *theirs])])

    def test_the_number_of_queries_does_not_grow_with_the_rooms(self, alice, charlie, draft_of, client_of):
        client, counts = client_of(charlie), []
        for size in (1, 10, 89):
            rooms = [create_room(alice, name="Room", history="joined") for _ in range(size)]
            services.send_messages([draft_of(alice, room=str(room.id)) for room in rooms])
            for room in rooms:
                add_members(alice, room_key=str(room.id), user_ids=[charlie.id])
            services.send_messages([draft_of(alice, room=str(room.id)) for room in rooms[::2]])
            with CaptureQueriesContext(connection) as queries:
                answer = client.get("/api/v1/rooms", {"limit": 100}).json()
            shown = [room for room in answer["results"] if room["last_message"]]
            assert 0 < len(shown) <= Message.objects.count()
            counts.append(len(queries))
        assert len(set(counts)) == 1
