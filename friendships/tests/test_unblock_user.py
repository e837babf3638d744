"""Taking a block back."""

import uuid

import pytest

from accounts.models import User
from core.errors import NotFound
from eventlog.models import Event
from friendships.models import Block
from friendships.selectors import apart_from, are_friends
from friendships.services import block_user, request_friendship, unblock_user


def url(user_id):
    return f"/api/v1/blocks/{user_id}"


class TestService:
    def test_they_may_ask_again_and_what_was_ended_stays_ended(self, alice, bob, befriend):
        befriend(alice, bob)
        block_user(alice, user_id=bob.id)
        unblock_user(alice, user_id=bob.id)
        assert not are_friends(alice.id, bob.id)
        assert request_friendship(bob, user_id=alice.id).is_pending

    def test_the_block_of_the_other_side_stays(self, alice, bob):
        block_user(alice, user_id=bob.id)
        block_user(bob, user_id=alice.id)
        unblock_user(alice, user_id=bob.id)
        assert [(row.blocker, row.blocked) for row in Block.objects.all()] == [(bob, alice)]
        assert apart_from(alice.id) == {bob.id}

    def test_other_blocks_stay(self, alice, bob, charlie):
        for user_id in (bob.id, charlie.id):
            block_user(alice, user_id=user_id)
        unblock_user(alice, user_id=bob.id)
        assert apart_from(alice.id) == {charlie.id}

    def test_without_a_block_nothing_changes(self, alice, bob):
        unblock_user(alice, user_id=bob.id)
        with pytest.raises(NotFound):
            unblock_user(alice, user_id=uuid.uuid4())

    def test_someone_suspended_can_be_unblocked(self, alice, bob):
        block_user(alice, user_id=bob.id)
        User.objects.filter(id=bob.id).update(is_active=False)
        unblock_user(alice, user_id=bob.id)
        assert not Block.objects.exists()

    def test_nobody_is_told(self, alice, bob):
        block_user(alice, user_id=bob.id)
        unblock_user(alice, user_id=bob.id)
        assert not Event.objects.exists()


class TestApi:
    def test_the_answer_is_empty_and_a_repeat_is_the_same(self, alice, bob, client_of):
        block_user(alice, user_id=bob.id)
        client = client_of(alice)
        for _ in range(2):
            answer = client.delete(url(bob.id))
            assert (answer.status_code, answer.content) == (204, b"")
        assert not Block.objects.exists()

    def test_nobody_takes_back_the_block_of_another(self, alice, bob, charlie, client_of):
        block_user(alice, user_id=bob.id)
        assert client_of(bob).delete(url(alice.id)).status_code == 204
        assert client_of(charlie).delete(url(bob.id)).status_code == 204
        assert Block.objects.count() == 1

    def test_an_unknown_id_and_a_bad_one_are_404(self, alice, client_of):
        client = client_of(alice)
        for user_id in (uuid.uuid4(), "bob"):
            answer = client.delete(url(user_id))
            assert answer.status_code == 404

    def test_anonymous_gets_401(self, bob, anonymous):
        answer = anonymous.delete(url(bob.id))
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


@pytest.mark.django_db(transaction=True)
def test_blocking_and_unblocking_at_once_end_in_one_of_both(alice, bob, race):
    for _ in range(15):
        outcomes = race(
            lambda: block_user(alice, user_id=bob.id),
            lambda: unblock_user(alice, user_id=bob.id),
            lambda: unblock_user(alice, user_id=bob.id),
        )
        assert outcomes == [None] * 3
        assert Block.objects.count() in (0, 1)
