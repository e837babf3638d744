import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging import services
from rooms.services import add_members, leave_room, update_room

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread(alice, bob, room, say):
    """A question, five answers to it, and what else is said."""
    question = say(alice, "Tea?")
    for number in range(1, 6):
        say(bob, f"Answer {number}", reply_to=str(question.id))
        say(alice, "Something else")
    return question


def path_of(message):
    return f"/api/v1/messages/{message.id}/replies"


def contents(answer):
    assert answer.status_code == 200
    return [message["content"] for message in answer.json()["results"]]


class TestApi:
    def test_the_answers_come_oldest_first(self, alice, thread, client_of):
        assert contents(client_of(alice).get(path_of(thread))) == [f"Answer {n}" for n in range(1, 6)]

    def test_they_are_as_in_the_history(self, alice, thread, client_of):
        client = client_of(alice)
        history = client.get("/api/v1/rooms/kitchen/messages", {"after": 0}).json()["results"]
        shown = client.get(path_of(thread)).json()["results"]
        assert shown == [message for message in history if message["reply_to"]]
        assert history[0]["reply_count"] == len(shown)

    def test_answers_to_an_answer_are_a_thread_of_their_own(self, alice, bob, thread, say, client_of):
        answer = say(bob, "Coffee", reply_to=str(thread.id))
        say(alice, "Why?", reply_to=str(answer.id))
        client = client_of(bob)
        assert contents(client.get(path_of(thread)))[-1] == "Coffee"
        assert contents(client.get(path_of(answer))) == ["Why?"]

    def test_a_deleted_answer_is_neither_listed_nor_counted(self, alice, bob, thread, say, client_of, shown):
        answer = say(bob, "Nonsense", reply_to=str(thread.id))
        services.delete_message(bob.id, message_id=answer.id)
        listed = contents(client_of(alice).get(path_of(thread)))
        assert listed == [f"Answer {n}" for n in range(1, 6)]
        assert shown(alice, thread)["reply_count"] == len(listed)

    def test_the_past_that_one_may_not_read_has_no_thread(self, alice, charlie, thread, say, client_of):
        update_room(alice, room_key="kitchen", history="joined")
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        say(alice, "Still?", reply_to=str(thread.id))
        assert client_of(charlie).get(path_of(thread)).status_code == 404

    def test_without_answers_it_is_empty(self, alice, room, say, client_of):
        empty = {"results": [], "next_cursor": None, "previous_cursor": None}
        assert client_of(alice).get(path_of(say(alice))).json() == empty

    def test_pages_hold_every_answer_once_there_and_back(self, alice, thread, client_of):
        client = client_of(alice)
        first = client.get(path_of(thread), {"limit": 2})
        second = client.get(path_of(thread), {"limit": 2, "cursor": first.json()["next_cursor"]})
        third = client.get(path_of(thread), {"limit": 2, "cursor": second.json()["next_cursor"]})
        assert [contents(page) for page in (first, second, third)] == [
            ["Answer 1", "Answer 2"],
            ["Answer 3", "Answer 4"],
            ["Answer 5"],
        ]
        assert third.json()["next_cursor"] is None
        back = client.get(path_of(thread), {"limit": 2, "cursor": third.json()["previous_cursor"]})
        assert contents(back) == contents(second)

    def test_to_a_stranger_and_to_one_who_left_it_is_404(self, alice, bob, charlie, thread, client_of):
        leave_room(bob, room_key="kitchen")
        for user in (bob, charlie):
            answer = client_of(user).get(path_of(thread))
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert client_of(alice).get(f"/api/v1/messages/{uuid.uuid4()}/replies").status_code == 404

    def test_anonymous_gets_401(self, thread, anonymous):
        assert anonymous.get(path_of(thread)).status_code == 401

    @pytest.mark.parametrize("query", [{"limit": 101}, {"limit": "-1"}, {"cursor": "forged"}])
    def test_an_odd_parameter_is_400(self, alice, thread, client_of, query):
        answer = client_of(alice).get(path_of(thread), query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_the_number_of_queries_does_not_grow(self, alice, thread, client_of, draft_of):
        services.send_messages([draft_of(alice, reply_to=str(thread.id)) for _ in range(100)])
        client, counts = client_of(alice), []
        for limit in (1, 10, 100):
            with CaptureQueriesContext(connection) as queries:
                assert len(contents(client.get(path_of(thread), {"limit": limit}))) == limit
            counts.append(len(queries))
        # The session, the message, its answers with their senders, what they answer.
        assert counts == [4, 4, 4]
