"""Withdrawing one's own request."""

import uuid

import pytest
from django.db import transaction

from core.errors import NotFound, NotPending
from eventlog.log import user_stream
from friendships.models import FriendRequest
from friendships.services import accept_request, cancel_request, request_friendship


def url(request_id):
    return f"/api/v1/friends/requests/{request_id}"


class TestService:
    def test_the_request_is_withdrawn(self, alice, bob):
        request = cancel_request(alice, request_id=request_friendship(alice, user_id=bob.id).id)
        assert request.status == "cancelled"
        stored = FriendRequest.objects.get()
        assert (stored.status, stored.pending_key) == ("cancelled", None)
        assert stored.answered_at is not None

    def test_only_the_sender_withdraws(self, alice, bob, charlie):
        request = request_friendship(alice, user_id=bob.id)
        for other in (bob, charlie):
            with pytest.raises(NotFound):
                cancel_request(other, request_id=request.id)
        assert FriendRequest.objects.get().is_pending

    def test_an_accepted_request_is_not_withdrawn(self, alice, bob):
        request = request_friendship(alice, user_id=bob.id)
        accept_request(bob, request_id=request.id)
        with pytest.raises(NotPending):
            cancel_request(alice, request_id=request.id)

    def test_both_users_hear_of_it_after_the_commit(
        self, alice, bob, announced, django_capture_on_commit_callbacks
    ):
        request = request_friendship(alice, user_id=bob.id)
        with django_capture_on_commit_callbacks(execute=True):
            cancel_request(alice, request_id=request.id)
            assert announced() == []
        assert announced() == [
            (user_stream(alice.id), "friend.cancelled"),
            (user_stream(bob.id), "friend.cancelled"),
        ]

    def test_a_rollback_leaves_the_request_pending_and_no_event(self, alice, bob, events_of):
        request = request_friendship(alice, user_id=bob.id)
        with transaction.atomic():
            cancel_request(alice, request_id=request.id)
            transaction.set_rollback(True)
        assert FriendRequest.objects.get().is_pending
        assert [event["type"] for event in events_of(user_stream(bob.id))] == ["friend.request"]


class TestApi:
    def test_the_answer_is_empty(self, alice, bob, client_of):
        request = request_friendship(alice, user_id=bob.id)
        answer = client_of(alice).delete(url(request.id))
        assert (answer.status_code, answer.content) == (204, b"")

    def test_the_event_is_the_cancelled_request(self, alice, bob, client_of, events_of):
        request = request_friendship(alice, user_id=bob.id, message="Hello")
        client_of(alice).delete(url(request.id))
        for user in (alice, bob):
            first, event = events_of(user_stream(user.id))
            del event["ts"]
            assert event == {
                "type": "friend.cancelled",
                "stream": user_stream(user.id),
                "pos": 2,
                "data": {**first["data"], "status": "cancelled"},
            }

    def test_anonymous_gets_401(self, alice, bob, anonymous):
        request = request_friendship(alice, user_id=bob.id)
        answer = anonymous.delete(url(request.id))
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_a_stranger_and_the_recipient_get_404(self, alice, bob, charlie, client_of):
        request = request_friendship(alice, user_id=bob.id)
        for other in (bob, charlie):
            answer = client_of(other).delete(url(request.id))
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_an_unknown_id_and_a_bad_one_are_404(self, alice, client_of):
        client = client_of(alice)
        for request_id in (uuid.uuid4(), "7"):
            assert client.delete(url(request_id)).status_code == 404

    def test_a_repeat_is_409(self, alice, bob, client_of):
        request = request_friendship(alice, user_id=bob.id)
        client = client_of(alice)
        client.delete(url(request.id))
        answer = client.delete(url(request.id))
        assert (answer.status_code, answer.json()["code"]) == (409, "not_pending")
