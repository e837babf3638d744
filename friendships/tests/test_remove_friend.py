"""Ending a friendship."""

import uuid

import pytest
from django.db import transaction

from core.errors import NotFound
from eventlog.log import user_stream
from friendships.models import Friendship
from friendships.selectors import are_friends, friend_ids_of
from friendships.services import remove_friend, request_friendship

ROUNDS = 20


def url(user_id):
    return f"/api/v1/friends/{user_id}"


class TestService:
    def test_either_side_ends_it_for_both(self, alice, bob, befriend):
        for one, other in ((alice, bob), (bob, alice)):
            befriend(alice, bob)
            remove_friend(one, friend_id=other.id)
            assert not Friendship.objects.exists()

    def test_other_friendships_stay(self, alice, bob, charlie, befriend):
        befriend(alice, bob)
        befriend(charlie, alice)
        befriend(bob, charlie)
        remove_friend(alice, friend_id=bob.id)
        assert friend_ids_of(charlie.id) == {alice.id, bob.id}
        assert friend_ids_of(alice.id) == friend_ids_of(bob.id) == {charlie.id}

    def test_someone_who_is_no_friend_is_not_found(self, alice, bob, charlie, befriend):
        befriend(alice, bob)
        request_friendship(alice, user_id=charlie.id)
        for stranger_id in (charlie.id, alice.id, uuid.uuid4()):
            with pytest.raises(NotFound):
                remove_friend(alice, friend_id=stranger_id)
        assert are_friends(alice.id, bob.id)

    def test_both_users_hear_of_it_after_the_commit(
        self, alice, bob, befriend, announced, django_capture_on_commit_callbacks
    ):
        befriend(alice, bob)
        with django_capture_on_commit_callbacks(execute=True):
            remove_friend(bob, friend_id=alice.id)
            assert announced() == []
        assert announced() == [
            (user_stream(bob.id), "friend.removed"),
            (user_stream(alice.id), "friend.removed"),
        ]

    def test_a_rollback_leaves_the_friendship_and_no_event(self, alice, bob, befriend, events_of):
        befriend(alice, bob)
        with transaction.atomic():
            remove_friend(alice, friend_id=bob.id)
            transaction.set_rollback(True)
        assert are_friends(alice.id, bob.id)
        assert events_of(user_stream(bob.id))[-1]["type"] == "friend.accepted"


class TestApi:
    def test_the_answer_is_empty(self, alice, bob, befriend, client_of):
        befriend(alice, bob)
        answer = client_of(alice).delete(url(bob.id))
        assert (answer.status_code, answer.content) == (204, b"")

    def test_each_is_told_of_the_other(self, alice, bob, befriend, client_of, events_of):
        befriend(alice, bob)
        client_of(alice).delete(url(bob.id))
        for user, other in ((alice, bob), (bob, alice)):
            event = events_of(user_stream(user.id))[-1]
            del event["ts"]
            assert event == {
                "type": "friend.removed",
                "stream": user_stream(user.id),
                "pos": 3,
                "data": {
                    "user": {
                        "id": str(other.id),
                        "username": other.username,
                        "display_name": other.username,
                        "avatar_url": None,
                        "is_bot": False,
                    }
                },
            }

    def test_anonymous_gets_401(self, bob, anonymous):
        answer = anonymous.delete(url(bob.id))
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_a_stranger_gets_404(self, alice, bob, charlie, befriend, client_of):
        befriend(alice, bob)
        answer = client_of(charlie).delete(url(alice.id))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert are_friends(alice.id, bob.id)

    def test_an_unknown_id_and_a_bad_one_are_404(self, alice, client_of):
        client = client_of(alice)
        for user_id in (uuid.uuid4(), "bob"):
            assert client.delete(url(user_id)).status_code == 404

    def test_a_repeat_is_404(self, alice, bob, befriend, client_of):
        befriend(alice, bob)
        client = client_of(alice)
        client.delete(url(bob.id))
        assert client.delete(url(bob.id)).status_code == 404


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_both_leaving_at_once_is_one_removal(self, alice, bob, befriend, race, events_of):
        for number in range(1, ROUNDS + 1):
            befriend(alice, bob)
            outcomes = race(
                lambda: remove_friend(alice, friend_id=bob.id),
                lambda: remove_friend(bob, friend_id=alice.id),
            )
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "NotFound"]
            for user in (alice, bob):
                types = [event["type"] for event in events_of(user_stream(user.id))]
                assert types == ["friend.request", "friend.accepted", "friend.removed"] * number
