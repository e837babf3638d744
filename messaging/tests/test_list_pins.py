"""The pinned messages of a room."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.models import Pin
from messaging.services import delete_message, edit_message, pin_message, unpin_message
from rooms.services import create_room, leave_room

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rooms/kitchen/pins"


@pytest.fixture
def pinned(alice, room, say):
    """Five messages, of which the third, the first and the fifth were pinned, in this order."""
    messages = [say(alice, str(number)) for number in range(1, 6)]
    for place in (2, 0, 4):
        pin_message(alice.id, message_id=messages[place].id)
    return messages


def contents(page):
    return [message["content"] for message in page["results"]]


class TestApi:
    def test_the_latest_pinned_comes_first_as_a_message(self, bob, pinned, client_of, shown):
        page = client_of(bob).get(PATH).json()
        assert contents(page) == ["5", "1", "3"]
        assert page["results"][0] == shown(bob, pinned[4])

    def test_pages_hold_each_once_there_and_back(self, bob, pinned, client_of):
        client = client_of(bob)
        first = client.get(PATH, {"limit": 2}).json()
        second = client.get(PATH, {"limit": 2, "cursor": first["next_cursor"]}).json()
        assert (contents(first), contents(second), second["next_cursor"]) == (["5", "1"], ["3"], None)
        back = client.get(PATH, {"limit": 2, "cursor": second["previous_cursor"]}).json()
        assert contents(back) == ["5", "1"]

    def test_what_is_unpinned_or_deleted_is_not_there_and_what_is_edited_is(
        self, alice, bob, pinned, client_of
    ):
        unpin_message(alice.id, message_id=pinned[0].id)
        delete_message(alice.id, message_id=pinned[2].id)
        edit_message(alice.id, message_id=pinned[4].id, content="five")
        assert contents(client_of(bob).get(PATH).json()) == ["five"]

    def test_those_of_other_rooms_are_not_there(self, alice, bob, room, say, client_of):
        create_room(alice, name="Other", slug="other", member_ids=[bob.id])
        pin_message(alice.id, message_id=say(alice, room="other").id)
        assert client_of(bob).get(PATH).json()["results"] == []

    def test_anonymous_gets_401(self, pinned, anonymous):
        assert anonymous.get(PATH).status_code == 401

    def test_a_stranger_and_one_who_left_get_404(self, bob, charlie, pinned, client_of):
        leave_room(bob, room_key="kitchen")
        for user in (bob, charlie):
            answer = client_of(user).get(PATH)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "x"}, {"cursor": "forged"}])
    def test_an_odd_parameter_is_400(self, bob, pinned, client_of, query):
        answer = client_of(bob).get(PATH, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_the_number_of_queries_does_not_grow(self, alice, bob, room, say, client_of):
        client, counts = client_of(bob), []
        for size in (1, 9, 90):
            for _ in range(size):
                pin_message(alice.id, message_id=say(alice).id)
            with CaptureQueriesContext(connection) as queries:
                assert len(client.get(PATH, {"limit": 100}).json()["results"]) == Pin.objects.count()
            counts.append(len(queries))
        assert len(set(counts)) == 1
