"""Blocking someone: what it ends, what it stops, and what the other one can learn of it."""

import uuid

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.errors import Blocked, NotFound, NotPending, ValidationFailed
from eventlog.log import user_stream
from friendships.models import Block, FriendRequest, Friendship
from friendships.selectors import apart_from, are_friends
from friendships.services import (
    accept_request,
    block_user,
    cancel_request,
    reject_request,
    remove_friend,
    request_friendship,
)

ROUNDS = 15
REQUESTS = "/api/v1/friends/requests"


def url(user_id):
    return f"/api/v1/blocks/{user_id}"


def without_ids(frames):
    """Frames with what differs between any two of them taken out."""
    for frame in frames:
        frame.pop("ts")
        frame["data"].pop("id", None)
        frame["data"].pop("created_at", None)
    return frames


class TestService:
    def test_it_ends_the_friendship_for_both(self, alice, bob, charlie, befriend):
        befriend(alice, bob)
        befriend(charlie, alice)
        block_user(bob, user_id=alice.id)
        assert not are_friends(alice.id, bob.id)
        assert not are_friends(bob.id, alice.id)
        assert are_friends(alice.id, charlie.id)
        assert not FriendRequest.objects.filter(status="pending").exists()

    @pytest.mark.parametrize(("asks", "status"), [("alice", "cancelled"), ("bob", "rejected")])
    def test_it_ends_a_request_of_either_side(self, alice, bob, asks, status):
        sender, recipient = (alice, bob) if asks == "alice" else (bob, alice)
        request = request_friendship(sender, user_id=recipient.id)
        block_user(alice, user_id=bob.id)
        request.refresh_from_db()
        assert (request.status, request.pending_key) == (status, None)

    def test_a_repeat_changes_nothing_and_tells_nobody(self, alice, bob, befriend, events_of):
        befriend(alice, bob)
        block_user(alice, user_id=bob.id)
        before = Block.objects.get()
        heard = events_of(user_stream(bob.id))
        block_user(alice, user_id=bob.id)
        assert Block.objects.get().created_at == before.created_at
        assert events_of(user_stream(bob.id)) == heard

    def test_two_may_block_each_other(self, alice, bob):
        block_user(alice, user_id=bob.id)
        block_user(bob, user_id=alice.id)
        assert Block.objects.count() == 2
        assert apart_from(alice.id) == {bob.id}

    def test_nobody_blocks_themselves(self, alice):
        with pytest.raises(ValidationFailed) as raised:
            block_user(alice, user_id=alice.id)
        assert [(error.attr, error.code) for error in raised.value.errors] == [("user_id", "self")]

    def test_nobody_who_is_not_there_is_blocked(self, alice, bob):
        User.objects.filter(id=bob.id).update(is_active=False)
        for user_id in (bob.id, uuid.uuid4()):
            with pytest.raises(NotFound):
                block_user(alice, user_id=user_id)
        assert not Block.objects.exists()

    def test_neither_side_may_ask_and_others_may(self, alice, bob, charlie):
        block_user(alice, user_id=bob.id)
        for one, other in ((alice, bob), (bob, alice)):
            with pytest.raises(Blocked):
                request_friendship(one, user_id=other.id)
        assert request_friendship(charlie, user_id=alice.id).is_pending
        assert request_friendship(charlie, user_id=bob.id).is_pending

    def test_a_request_that_it_ended_can_not_be_accepted(self, alice, bob):
        request = request_friendship(bob, user_id=alice.id)
        block_user(alice, user_id=bob.id)
        with pytest.raises(NotPending):
            accept_request(alice, request_id=request.id)
        assert not are_friends(alice.id, bob.id)

    def test_both_hear_of_the_end_after_the_commit(
        self, alice, bob, befriend, announced, django_capture_on_commit_callbacks
    ):
        befriend(alice, bob)
        with django_capture_on_commit_callbacks(execute=True):
            block_user(bob, user_id=alice.id)
            assert announced() == []
        assert announced() == [
            (user_stream(bob.id), "friend.removed"),
            (user_stream(alice.id), "friend.removed"),
        ]

    def test_a_rollback_leaves_the_friendship_and_no_event(self, alice, bob, befriend, events_of):
        befriend(alice, bob)
        with transaction.atomic():
            block_user(alice, user_id=bob.id)
            transaction.set_rollback(True)
        assert are_friends(alice.id, bob.id)
        assert not Block.objects.exists()
        assert events_of(user_stream(bob.id))[-1]["type"] == "friend.accepted"


class TestWhatIsTold:
    """Both sides get the frames that they would get had the user ended things by hand, and no other."""

    def told(self, user, events_of):
        return without_ids(events_of(user_stream(user.id)))

    def by_hand_and_by_block(self, alice, bob, events_of, stage, by_hand):
        heard = []
        for end in (by_hand, lambda _: block_user(alice, user_id=bob.id)):
            with transaction.atomic():
                end(stage())
                heard.append([self.told(user, events_of) for user in (alice, bob)])
                transaction.set_rollback(True)
        return heard

    def test_of_a_friendship(self, alice, bob, befriend, events_of):
        hand, block = self.by_hand_and_by_block(
            alice,
            bob,
            events_of,
            lambda: befriend(alice, bob),
            lambda _: remove_friend(alice, friend_id=bob.id),
        )
        assert hand == block
        assert [frame["type"] for frame in block[1]] == [
            "friend.request",
            "friend.accepted",
            "friend.removed",
        ]

    def test_of_a_request_of_mine(self, alice, bob, events_of):
        hand, block = self.by_hand_and_by_block(
            alice,
            bob,
            events_of,
            lambda: request_friendship(alice, user_id=bob.id),
            lambda request: cancel_request(alice, request_id=request.id),
        )
        assert hand == block
        assert [frame["type"] for frame in block[1]] == ["friend.request", "friend.cancelled"]

    def test_of_a_request_of_theirs(self, alice, bob, events_of):
        hand, block = self.by_hand_and_by_block(
            alice,
            bob,
            events_of,
            lambda: request_friendship(bob, user_id=alice.id),
            lambda request: reject_request(alice, request_id=request.id),
        )
        assert hand == block
        assert [frame["type"] for frame in block[1]] == ["friend.request", "friend.rejected"]

    def test_of_a_stranger_nothing(self, alice, bob, events_of):
        block_user(alice, user_id=bob.id)
        assert self.told(alice, events_of) == self.told(bob, events_of) == []


class TestApi:
    def test_the_answer_is_empty_and_a_repeat_is_the_same(self, alice, bob, client_of):
        client = client_of(alice)
        for _ in range(2):
            answer = client.put(url(bob.id))
            assert (answer.status_code, answer.content) == (204, b"")
        assert [(row.blocker, row.blocked) for row in Block.objects.all()] == [(alice, bob)]

    def test_who_is_blocked_may_block_too_and_learns_nothing(self, alice, bob, charlie, client_of):
        block_user(alice, user_id=bob.id)
        answers = [client_of(bob).put(url(user.id)) for user in (alice, charlie)]
        assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2

    def test_both_sides_get_the_same_403_when_they_ask(self, alice, bob, client_of):
        block_user(alice, user_id=bob.id)
        bodies = []
        for one, other in ((alice, bob), (bob, alice)):
            answer = client_of(one).post(REQUESTS, {"user_id": str(other.id)})
            assert answer.status_code == 403
            bodies.append({k: v for k, v in answer.json().items() if k != "request_id"})
        assert bodies[0] == bodies[1]
        assert bodies[0]["code"] == "blocked"

    def test_a_suspended_user_is_404_whether_or_not_they_blocked(self, alice, bob, client_of):
        block_user(bob, user_id=alice.id)
        User.objects.filter(id=bob.id).update(is_active=False)
        answer = client_of(alice).post(REQUESTS, {"user_id": str(bob.id)})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_anonymous_gets_401(self, bob, anonymous):
        answer = anonymous.put(url(bob.id))
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_oneself_is_400(self, alice, client_of):
        answer = client_of(alice).put(url(alice.id))
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    def test_an_unknown_id_and_a_bad_one_are_404_and_leave_nothing(self, alice, client_of, events_of):
        client = client_of(alice)
        for user_id in (uuid.uuid4(), "bob"):
            assert client.put(url(user_id)).status_code == 404
        assert not Block.objects.exists()

    def test_the_number_of_queries_does_not_grow(self, alice, bob, client_of, befriend):
        client, counts = client_of(alice), []
        for count in (0, 20):
            for number in range(count):
                other = User.objects.create_user(f"dora{number}", f"dora{number}@example.com")
                befriend(alice, other)
                block_user(alice, user_id=other.id)
            Block.objects.filter(blocked=bob).delete()
            with CaptureQueriesContext(connection) as queries:
                assert client.put(url(bob.id)).status_code == 204
            counts.append(len(queries))
        # The first one makes bob's and alice's streams.
        assert counts[1] <= counts[0]


def pair(number):
    return [
        User.objects.create_user(f"{name}{number}", f"{name}{number}@example.com")
        for name in ("dora", "emil")
    ]


@pytest.mark.django_db(transaction=True)
class TestRaces:
    """However a block meets what makes friends, no friendship and no request is left beside it."""

    def nothing_is_left(self, one, other, events_of):
        assert Block.objects.filter(blocker=one, blocked=other).count() == 1
        assert not Friendship.objects.filter(user__in=[one, other]).exists()
        assert not FriendRequest.objects.filter(from_user__in=[one, other], status="pending").exists()
        # Nobody's client is left with a friend or a request either.
        for user in (one, other):
            types = [event["type"] for event in events_of(user_stream(user.id))]
            assert types.count("friend.accepted") == types.count("friend.removed")
            closed = ("friend.accepted", "friend.cancelled", "friend.rejected")
            assert types.count("friend.request") == sum(map(types.count, closed))

    def test_with_requests_that_cross(self, race, events_of):
        for number in range(ROUNDS):
            one, other = pair(number)
            race(
                lambda: request_friendship(one, user_id=other.id),  # noqa: B023 - called before the next round
                lambda: block_user(one, user_id=other.id),  # noqa: B023
                lambda: request_friendship(other, user_id=one.id),  # noqa: B023
            )
            self.nothing_is_left(one, other, events_of)

    def test_with_an_acceptance(self, race, events_of):
        for number in range(ROUNDS):
            one, other = pair(number)
            request = request_friendship(one, user_id=other.id)
            race(
                lambda: accept_request(other, request_id=request.id),  # noqa: B023
                lambda: block_user(one, user_id=other.id),  # noqa: B023
            )
            self.nothing_is_left(one, other, events_of)

    def test_with_itself_and_its_mirror(self, race, befriend, events_of):
        for number in range(ROUNDS):
            one, other = pair(number)
            befriend(one, other)
            outcomes = race(
                lambda: block_user(one, user_id=other.id),  # noqa: B023
                lambda: block_user(one, user_id=other.id),  # noqa: B023
                lambda: block_user(other, user_id=one.id),  # noqa: B023
            )
            assert outcomes == [None] * 3
            self.nothing_is_left(one, other, events_of)
            self.nothing_is_left(other, one, events_of)
