"""Saying no to who asked."""

import uuid

import pytest
from django.db import transaction

from core.errors import NotFound, NotPending
from eventlog.log import user_stream
from friendships.models import FriendRequest, Friendship
from friendships.services import cancel_request, reject_request, request_friendship


def url(request_id):
    return f"/api/v1/friends/requests/{request_id}/reject"


class TestService:
    def test_the_request_is_rejected_and_nobody_befriended(self, alice, bob):
        request = reject_request(bob, request_id=request_friendship(alice, user_id=bob.id).id)
        assert request.status == "rejected"
        stored = FriendRequest.objects.get()
        assert (stored.status, stored.pending_key) == ("rejected", None)
        assert stored.answered_at is not None
        assert not Friendship.objects.exists()

    def test_only_the_recipient_rejects(self, alice, bob, charlie):
        request = request_friendship(alice, user_id=bob.id)
        for other in (alice, charlie):
            with pytest.raises(NotFound):
                reject_request(other, request_id=request.id)
        assert FriendRequest.objects.get().is_pending

    def test_a_withdrawn_request_is_not_rejected(self, alice, bob):
        request = request_friendship(alice, user_id=bob.id)
        cancel_request(alice, request_id=request.id)
        with pytest.raises(NotPending):
            reject_request(bob, request_id=request.id)

    def test_both_users_hear_of_it_after_the_commit(
        self, alice, bob, announced, django_capture_on_commit_callbacks
    ):
        request = request_friendship(alice, user_id=bob.id)
        with django_capture_on_commit_callbacks(execute=True):
            reject_request(bob, request_id=request.id)
            assert announced() == []
        assert announced() == [
            (user_stream(alice.id), "friend.rejected"),
            (user_stream(bob.id), "friend.rejected"),
        ]

    def test_a_rollback_leaves_the_request_pending_and_no_event(self, alice, bob, events_of):
        request = request_friendship(alice, user_id=bob.id)
        with transaction.atomic():
            reject_request(bob, request_id=request.id)
            transaction.set_rollback(True)
        assert FriendRequest.objects.get().is_pending
        assert [event["type"] for event in events_of(user_stream(bob.id))] == ["friend.request"]


class TestApi:
    def test_the_rejected_request_comes_back_and_is_the_event(self, alice, bob, client_of, events_of):
        request = request_friendship(alice, user_id=bob.id)
        answer = client_of(bob).post(url(request.id))
        assert answer.status_code == 200
        assert (answer.json()["id"], answer.json()["status"]) == (str(request.id), "rejected")
        for user in (alice, bob):
            event = events_of(user_stream(user.id))[-1]
            del event["ts"]
            assert event == {
                "type": "friend.rejected",
                "stream": user_stream(user.id),
                "pos": 2,
                "data": answer.json(),
            }

    def test_anonymous_gets_401(self, alice, bob, anonymous):
        request = request_friendship(alice, user_id=bob.id)
        answer = anonymous.post(url(request.id))
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_a_stranger_and_the_sender_get_404(self, alice, bob, charlie, client_of):
        request = request_friendship(alice, user_id=bob.id)
        for other in (alice, charlie):
            answer = client_of(other).post(url(request.id))
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_an_unknown_id_and_a_bad_one_are_404(self, bob, client_of):
        client = client_of(bob)
        for request_id in (uuid.uuid4(), "7"):
            assert client.post(url(request_id)).status_code == 404

    def test_a_repeat_is_409(self, alice, bob, client_of):
        request = request_friendship(alice, user_id=bob.id)
        client = client_of(bob)
        client.post(url(request.id))
        answer = client.post(url(request.id))
        assert (answer.status_code, answer.json()["code"]) == (409, "not_pending")
