"""What a message said before it was edited."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.models import Message
from messaging.services import delete_message, edit_message
from rooms.services import leave_room

pytestmark = pytest.mark.django_db


def path(message):
    return f"/api/v1/messages/{message.id}/history"


@pytest.fixture
def message(alice, room, say):
    return say(alice, "0")


@pytest.fixture
def edited(alice, message):
    """A message that was edited three times."""
    for number in (1, 2, 3):
        edit_message(alice.id, message_id=message.id, content=str(number))
    return message


class TestApi:
    def test_the_newest_comes_first_with_when_it_was_replaced(self, bob, edited, client_of, shown):
        page = client_of(bob).get(path(edited)).json()
        assert [row["content"] for row in page["results"]] == ["2", "1", "0"]
        assert page["results"][0] == {"content": "2", "edited_at": shown(bob, edited)["edited_at"]}

    def test_what_was_never_edited_has_none(self, bob, message, client_of):
        empty = {"results": [], "next_cursor": None, "previous_cursor": None}
        assert client_of(bob).get(path(message)).json() == empty

    def test_pages_hold_each_once(self, bob, edited, client_of):
        client = client_of(bob)
        first = client.get(path(edited), {"limit": 2}).json()
        second = client.get(path(edited), {"limit": 2, "cursor": first["next_cursor"]}).json()
        assert [row["content"] for row in (*first["results"], *second["results"])] == ["2", "1", "0"]
        assert second["next_cursor"] is None

    def test_edits_of_one_moment_are_all_there(self, alice, bob, message, client_of):
        moment = Message.objects.get().created_at
        for number in range(5):
            message.revisions.create(content=str(number), edited_at=moment)
        client, cursor, seen = client_of(bob), None, []
        while cursor or not seen:
            page = client.get(path(message), {"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
            seen += [row["content"] for row in page["results"]]
            cursor = page["next_cursor"]
        assert seen == ["4", "3", "2", "1", "0"]

    def test_a_deletion_takes_them_along(self, alice, bob, edited, client_of):
        delete_message(alice.id, message_id=edited.id)
        assert client_of(bob).get(path(edited)).json()["results"] == []

    def test_anonymous_gets_401(self, edited, anonymous):
        assert anonymous.get(path(edited)).status_code == 401

    def test_a_stranger_and_one_who_left_get_404_as_for_none(self, bob, charlie, edited, client_of):
        leave_room(bob, room_key="kitchen")
        for user in (bob, charlie):
            for id_ in (edited.id, uuid.uuid4()):
                answer = client_of(user).get(f"/api/v1/messages/{id_}/history")
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize("query", [{"limit": 101}, {"cursor": "forged"}])
    def test_an_odd_parameter_is_400(self, bob, edited, client_of, query):
        answer = client_of(bob).get(path(edited), query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_the_number_of_queries_does_not_grow(self, alice, bob, message, client_of):
        client, counts = client_of(bob), []
        for size in (1, 9, 90):
            for number in range(size):
                edit_message(alice.id, message_id=message.id, content=f"{size} {number}")
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path(message), {"limit": 100}).json()["results"]
            counts.append(len(queries))
        assert len(set(counts)) == 1
