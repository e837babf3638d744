"""Saying yes to who asked."""

import uuid

import pytest
from django.db import transaction

from core.errors import NotFound, NotPending
from eventlog.log import user_stream
from friendships.models import FriendRequest, Friendship
from friendships.selectors import are_friends, friend_ids_of
from friendships.services import accept_request, cancel_request, reject_request, request_friendship


def url(request_id):
    return f"/api/v1/friends/requests/{request_id}/accept"


class TestService:
    def test_both_become_friends_at_the_same_moment(self, alice, bob):
        request = accept_request(bob, request_id=request_friendship(alice, user_id=bob.id).id)
        assert request.status == "accepted"
        assert friend_ids_of(alice.id) == {bob.id}
        assert friend_ids_of(bob.id) == {alice.id}
        stored = FriendRequest.objects.get()
        assert (stored.status, stored.pending_key) == ("accepted", None)
        assert set(Friendship.objects.values_list("since", flat=True)) == {stored.answered_at}

    def test_only_the_recipient_accepts(self, alice, bob, charlie):
        request = request_friendship(alice, user_id=bob.id)
        for other in (alice, charlie):
            with pytest.raises(NotFound):
                accept_request(other, request_id=request.id)
        assert not are_friends(alice.id, bob.id)

    def test_an_accepted_request_is_not_accepted_again(self, alice, bob):
        request = request_friendship(alice, user_id=bob.id)
        accept_request(bob, request_id=request.id)
        with pytest.raises(NotPending):
            accept_request(bob, request_id=request.id)

    def test_a_rejected_or_withdrawn_request_is_not_accepted(self, alice, bob):
        rejected = request_friendship(alice, user_id=bob.id)
        reject_request(bob, request_id=rejected.id)
        withdrawn = request_friendship(alice, user_id=bob.id)
        cancel_request(alice, request_id=withdrawn.id)
        for request in (rejected, withdrawn):
            with pytest.raises(NotPending):
                accept_request(bob, request_id=request.id)
        assert not are_friends(alice.id, bob.id)

    def test_both_users_hear_of_it_after_the_commit(
        self, alice, bob, announced, django_capture_on_commit_callbacks
    ):
        request = request_friendship(alice, user_id=bob.id)
        with django_capture_on_commit_callbacks(execute=True):
            accept_request(bob, request_id=request.id)
            assert announced() == []
        assert announced() == [
            (user_stream(alice.id), "friend.accepted"),
            (user_stream(bob.id), "friend.accepted"),
        ]

    def test_a_rollback_leaves_the_request_pending_and_no_event(self, alice, bob, events_of):
        request = request_friendship(alice, user_id=bob.id)
        with transaction.atomic():
            accept_request(bob, request_id=request.id)
            transaction.set_rollback(True)
        assert FriendRequest.objects.get().is_pending
        assert [event["type"] for event in events_of(user_stream(alice.id))] == ["friend.request"]


class TestApi:
    def test_the_accepted_request_comes_back(self, alice, bob, client_of):
        request = request_friendship(alice, user_id=bob.id)
        answer = client_of(bob).post(url(request.id))
        assert answer.status_code == 200
        body = answer.json()
        assert (body["id"], body["status"]) == (str(request.id), "accepted")
        assert (body["from"]["username"], body["to"]["username"]) == ("alice", "bob")

    def test_the_event_is_the_answer(self, alice, bob, client_of, events_of):
        request = request_friendship(alice, user_id=bob.id)
        body = client_of(bob).post(url(request.id)).json()
        for user in (alice, bob):
            event = events_of(user_stream(user.id))[-1]
            del event["ts"]
            assert event == {
                "type": "friend.accepted",
                "stream": user_stream(user.id),
                "pos": 2,
                "data": body,
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
        for request_id in (uuid.uuid4(), "7", "not-an-id"):
            answer = client.post(url(request_id))
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_a_repeat_is_409(self, alice, bob, client_of):
        request = request_friendship(alice, user_id=bob.id)
        client = client_of(bob)
        client.post(url(request.id))
        answer = client.post(url(request.id))
        assert (answer.status_code, answer.json()["code"]) == (409, "not_pending")


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_two_acceptances_at_once_make_one_friendship(self, alice, bob, race, rounds, events_of):
        for number in rounds:
            request = request_friendship(alice, user_id=bob.id)
            outcomes = race(
                *[lambda: accept_request(bob, request_id=request.id)] * 2  # noqa: B023 - called before the next round
            )
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["FriendRequest", "NotPending"]
            assert Friendship.objects.count() == 2
            for user in (alice, bob):
                types = [event["type"] for event in events_of(user_stream(user.id))]
                assert types == ["friend.request", "friend.accepted"] * (number + 1)
            Friendship.objects.all().delete()

    def test_acceptance_and_withdrawal_at_once_are_won_by_one(self, alice, bob, race, rounds, events_of):
        for _ in rounds:
            request = request_friendship(alice, user_id=bob.id)
            accepted, cancelled = race(
                lambda: accept_request(bob, request_id=request.id),  # noqa: B023 - called before the next round
                lambda: cancel_request(alice, request_id=request.id),  # noqa: B023
            )
            won = not isinstance(accepted, NotPending)
            assert isinstance(cancelled, NotPending) is won
            status = "accepted" if won else "cancelled"
            assert FriendRequest.objects.get(id=request.id).status == status
            assert Friendship.objects.count() == (2 if won else 0)
            assert events_of(user_stream(bob.id))[-1]["type"] == f"friend.{status}"
            Friendship.objects.all().delete()
