"""The friend requests that I got or sent."""

import pytest

from accounts.models import User
from core.errors import NotFound
from friendships.selectors import get_request, requests_of
from friendships.services import accept_request, cancel_request, reject_request, request_friendship

URL = "/api/v1/friends/requests"


def ask_many(recipient, count, prefix="asker"):
    for number in range(count):
        asker = User.objects.create_user(f"{prefix}{number}", f"{prefix}{number}@example.com")
        request_friendship(asker, user_id=recipient.id)


def pairs(answer):
    assert answer.status_code == 200
    return [(row["from"]["username"], row["to"]["username"]) for row in answer.json()["results"]]


class TestSelector:
    def test_each_row_comes_with_its_users(self, alice, bob, django_assert_num_queries):
        request_friendship(alice, user_id=bob.id)
        with django_assert_num_queries(1):
            (request,) = requests_of(bob, direction="incoming", status="pending")
            assert (request.from_user.username, request.to_user.username) == ("alice", "bob")

    def test_a_request_is_there_for_its_two_users_only(self, alice, bob, charlie):
        request = request_friendship(alice, user_id=bob.id)
        assert get_request(alice, request.id) == get_request(bob, request.id) == request
        with pytest.raises(NotFound):
            get_request(charlie, request.id)


class TestApi:
    def test_incoming_and_pending_are_the_defaults(self, alice, bob, charlie, client_of):
        request_friendship(alice, user_id=bob.id)
        request_friendship(bob, user_id=charlie.id)
        assert pairs(client_of(bob).get(URL)) == [("alice", "bob")]

    def test_outgoing_are_those_that_i_sent(self, alice, bob, charlie, client_of):
        request_friendship(alice, user_id=bob.id)
        request_friendship(bob, user_id=charlie.id)
        assert pairs(client_of(bob).get(URL, {"direction": "outgoing"})) == [("bob", "charlie")]

    def test_a_stranger_sees_none(self, alice, bob, charlie, client_of):
        request_friendship(alice, user_id=bob.id)
        client = client_of(charlie)
        assert pairs(client.get(URL)) == pairs(client.get(URL, {"direction": "outgoing"})) == []

    def test_a_row_is_what_the_sender_was_answered(self, alice, bob, client_of):
        sent = client_of(alice).post(URL, {"user_id": str(bob.id), "message": "Hello"}).json()
        assert client_of(bob).get(URL).json() == {
            "results": [sent],
            "next_cursor": None,
            "previous_cursor": None,
        }

    def test_status_chooses(self, alice, bob, client_of):
        reject_request(bob, request_id=request_friendship(alice, user_id=bob.id).id)
        cancel_request(alice, request_id=request_friendship(alice, user_id=bob.id).id)
        accept_request(bob, request_id=request_friendship(alice, user_id=bob.id).id)
        for user, direction in ((alice, "outgoing"), (bob, "incoming")):
            client = client_of(user)
            assert pairs(client.get(URL, {"direction": direction})) == []
            for status in ("rejected", "cancelled", "accepted"):
                answer = client.get(URL, {"direction": direction, "status": status})
                assert pairs(answer) == [("alice", "bob")]
                assert answer.json()["results"][0]["status"] == status

    def test_pages_run_from_the_newest_to_the_oldest(self, alice, client_of):
        ask_many(alice, 3)
        client = client_of(alice)
        first = client.get(URL, {"limit": 2})
        second = client.get(URL, {"limit": 2, "cursor": first.json()["next_cursor"]})
        assert [sender for sender, _ in pairs(first)] == ["asker2", "asker1"]
        assert [sender for sender, _ in pairs(second)] == ["asker0"]
        assert second.json()["next_cursor"] is None
        assert pairs(client.get(URL, {"limit": 2, "cursor": second.json()["previous_cursor"]})) == pairs(
            first
        )

    def test_anonymous_gets_401(self, anonymous, db):
        answer = anonymous.get(URL)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize(
        ("query", "attr"),
        [
            ({"direction": "sideways"}, "direction"),
            ({"direction": ""}, "direction"),
            ({"status": "unknown"}, "status"),
            ({"status": "PENDING"}, "status"),
            ({"limit": "1e9"}, "limit"),
        ],
    )
    def test_a_bad_parameter_is_400(self, alice, client_of, query, attr):
        answer = client_of(alice).get(URL, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]
