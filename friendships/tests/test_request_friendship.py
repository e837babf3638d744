"""Asking someone to be friends, crossing requests included."""

import uuid

import pytest
from django.db import transaction

from accounts.models import User
from core.errors import AlreadyFriends, NotFound, RequestExists, ValidationFailed
from eventlog.log import user_stream
from eventlog.models import Stream
from friendships.models import FriendRequest, Friendship
from friendships.selectors import are_friends
from friendships.services import cancel_request, reject_request, remove_friend, request_friendship

URL = "/api/v1/friends/requests"


def card(user):
    return {
        "id": str(user.id),
        "username": user.username,
        "display_name": user.shown_name,
        "avatar_url": None,
        "is_bot": False,
    }


class TestService:
    def test_the_request_is_pending(self, alice, bob):
        request = request_friendship(alice, user_id=bob.id, message="Hello")
        assert (request.from_user, request.to_user) == (alice, bob)
        assert request.is_pending
        assert request.answered_at is None
        assert not are_friends(alice.id, bob.id)

    def test_nobody_asks_themselves(self, alice):
        with pytest.raises(ValidationFailed) as raised:
            request_friendship(alice, user_id=alice.id)
        assert [(error.attr, error.code) for error in raised.value.errors] == [("user_id", "self")]

    def test_friends_are_not_asked_again(self, alice, bob, befriend):
        befriend(alice, bob)
        for one, other in ((alice, bob), (bob, alice)):
            with pytest.raises(AlreadyFriends):
                request_friendship(one, user_id=other.id)

    def test_a_second_request_is_refused_while_the_first_is_pending(self, alice, bob):
        request_friendship(alice, user_id=bob.id)
        with pytest.raises(RequestExists):
            request_friendship(alice, user_id=bob.id)

    def test_after_an_answer_one_may_ask_again(self, alice, bob, befriend):
        reject_request(bob, request_id=request_friendship(alice, user_id=bob.id).id)
        cancel_request(alice, request_id=request_friendship(alice, user_id=bob.id).id)
        befriend(alice, bob)
        remove_friend(bob, friend_id=alice.id)
        assert request_friendship(alice, user_id=bob.id).is_pending

    def test_a_crossing_request_accepts_the_first(self, alice, bob):
        first = request_friendship(alice, user_id=bob.id, message="Hello")
        answer = request_friendship(bob, user_id=alice.id, message="Hi")
        assert (answer.id, answer.status, answer.message) == (first.id, "accepted", "Hello")
        assert FriendRequest.objects.count() == 1
        assert are_friends(alice.id, bob.id)
        assert are_friends(bob.id, alice.id)

    def test_a_user_who_may_not_log_in_is_not_there(self, alice, bob):
        User.objects.filter(id=bob.id).update(is_active=False)
        with pytest.raises(NotFound):
            request_friendship(alice, user_id=bob.id)

    def test_both_users_hear_of_it_after_the_commit(
        self, alice, bob, announced, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            request_friendship(alice, user_id=bob.id)
            assert announced() == []
        assert announced() == [
            (user_stream(alice.id), "friend.request"),
            (user_stream(bob.id), "friend.request"),
        ]

    def test_a_rollback_leaves_no_event(
        self, alice, bob, announced, events_of, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            request_friendship(alice, user_id=bob.id)
            transaction.set_rollback(True)
        assert announced() == []
        assert events_of(user_stream(alice.id)) == events_of(user_stream(bob.id)) == []


class TestApi:
    def test_the_request_comes_back(self, alice, bob, client_of):
        answer = client_of(alice).post(URL, {"user_id": str(bob.id), "message": "Hello \N{WAVING HAND SIGN}"})
        assert answer.status_code == 201
        body = answer.json()
        request = FriendRequest.objects.get()
        assert body.pop("created_at").endswith("Z")
        assert body == {
            "id": str(request.id),
            "from": card(alice),
            "to": card(bob),
            "message": "Hello \N{WAVING HAND SIGN}",
            "status": "pending",
        }

    def test_the_message_may_be_left_out(self, alice, bob, client_of):
        answer = client_of(alice).post(URL, {"user_id": str(bob.id)})
        assert (answer.status_code, answer.json()["message"]) == (201, "")

    def test_the_event_is_the_answer(self, alice, bob, client_of, events_of):
        body = client_of(alice).post(URL, {"user_id": str(bob.id)}).json()
        for user in (alice, bob):
            (event,) = events_of(user_stream(user.id))
            del event["ts"]
            assert event == {
                "type": "friend.request",
                "stream": user_stream(user.id),
                "pos": 1,
                "data": body,
            }

    def test_a_crossing_request_answers_200_and_announces_the_acceptance_only(
        self, alice, bob, client_of, events_of
    ):
        first = client_of(alice).post(URL, {"user_id": str(bob.id)}).json()
        answer = client_of(bob).post(URL, {"user_id": str(alice.id)})
        assert answer.status_code == 200
        assert answer.json() == {**first, "status": "accepted"}
        for user in (alice, bob):
            events = events_of(user_stream(user.id))
            assert [event["type"] for event in events] == ["friend.request", "friend.accepted"]
            assert events[1]["data"] == answer.json()

    def test_anonymous_gets_401(self, anonymous, bob):
        answer = anonymous.post(URL, {"user_id": str(bob.id)})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_an_unknown_user_is_404_and_leaves_nothing(self, alice, client_of, events_of):
        unknown = uuid.uuid4()
        answer = client_of(alice).post(URL, {"user_id": str(unknown)})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert not FriendRequest.objects.exists()
        assert events_of(user_stream(alice.id)) == events_of(user_stream(unknown)) == []

    def test_oneself_is_400(self, alice, client_of):
        answer = client_of(alice).post(URL, {"user_id": str(alice.id)})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert [(error["attr"], error["code"]) for error in answer.json()["errors"]] == [("user_id", "self")]

    @pytest.mark.parametrize(
        ("body", "code", "attr"),
        [
            ({}, "validation_error", "user_id"),
            ({"user_id": None}, "validation_error", "user_id"),
            ({"user_id": "bob"}, "validation_error", "user_id"),
            ({"user_id": ["bob"]}, "validation_error", "user_id"),
            ({"user_id": str(uuid.uuid4()), "message": "x" * 301}, "validation_error", "message"),
            ({"user_id": str(uuid.uuid4()), "message": 5}, "validation_error", "message"),
            ({"user_id": str(uuid.uuid4()), "message": None}, "validation_error", "message"),
            ({"user_id": str(uuid.uuid4()), "message": "\0"}, "validation_error", "message"),
            ({"user_id": str(uuid.uuid4()), "status": "accepted"}, "unknown_field", "status"),
            ([], "validation_error", ""),
        ],
    )
    def test_an_invalid_body_is_400(self, alice, client_of, body, code, attr):
        answer = client_of(alice).post(URL, body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]
        assert not FriendRequest.objects.exists()

    def test_300_code_points_fit(self, alice, bob, client_of):
        message = "\N{WAVING HAND SIGN}" * 300
        answer = client_of(alice).post(URL, {"user_id": str(bob.id), "message": message})
        assert (answer.status_code, answer.json()["message"]) == (201, message)

    def test_conflicts_are_409(self, alice, bob, charlie, client_of, befriend):
        befriend(alice, bob)
        client = client_of(alice)
        answer = client.post(URL, {"user_id": str(bob.id)})
        assert (answer.status_code, answer.json()["code"]) == (409, "already_friends")
        client.post(URL, {"user_id": str(charlie.id)})
        answer = client.post(URL, {"user_id": str(charlie.id)})
        assert (answer.status_code, answer.json()["code"]) == (409, "request_exists")


def make_pair(number):
    """Two new users; every second pair without streams, so that a race takes part in making them."""
    pair = [
        User.objects.create_user(f"{name}{number}", f"{name}{number}@example.com")
        for name in ("dora", "emil")
    ]
    if number % 2:
        Stream.objects.bulk_create(Stream(name=user_stream(user.id)) for user in pair)
    return pair


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_crossing_requests_make_one_friendship(self, race, rounds, events_of):
        for number in rounds:
            one, other = make_pair(number)
            first, second = race(
                lambda: request_friendship(one, user_id=other.id),  # noqa: B023 - called before the next round
                lambda: request_friendship(other, user_id=one.id),  # noqa: B023
            )
            assert first.id == second.id
            assert sorted([first.status, second.status]) == ["accepted", "pending"]
            request = FriendRequest.objects.get(id=first.id)
            assert (request.status, request.pending_key) == ("accepted", None)
            assert Friendship.objects.filter(user=one).count() == 1
            assert Friendship.objects.filter(user=other).count() == 1
            for user in (one, other):
                events = events_of(user_stream(user.id))
                assert [(event["pos"], event["type"]) for event in events] == [
                    (1, "friend.request"),
                    (2, "friend.accepted"),
                ]
        assert FriendRequest.objects.count() == len(rounds)
        assert Friendship.objects.count() == 2 * len(rounds)

    def test_the_same_request_twice_at_once_is_made_once(self, race, rounds, client_of, events_of):
        for number in rounds:
            one, other = make_pair(number)
            clients = [client_of(one), client_of(one)]
            answers = race(
                *(
                    lambda client=client: client.post(URL, {"user_id": str(other.id)})  # noqa: B023
                    for client in clients
                )
            )
            assert sorted(answer.status_code for answer in answers) == [201, 409]
            (refused,) = (answer for answer in answers if answer.status_code == 409)
            assert refused.json()["code"] == "request_exists"
            assert FriendRequest.objects.filter(from_user=one).count() == 1
            assert [event["type"] for event in events_of(user_stream(other.id))] == ["friend.request"]
