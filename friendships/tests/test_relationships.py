"""What a user is to me, as accounts asks for it."""

import pytest

from accounts.models import User
from accounts.signals import relationships_asked
from friendships.services import (
    accept_request,
    block_user,
    reject_request,
    remove_friend,
    request_friendship,
)


def answers(viewer, user_ids):
    """What every receiver says, in one."""
    found = {}
    for _, answer in relationships_asked.send(sender=User, viewer=viewer, user_ids=user_ids):
        found |= answer
    return found


@pytest.fixture
def others(db):
    return [User.objects.create_user(f"other{n}", f"other{n}@example.com") for n in range(30)]


class TestSignal:
    def test_strangers_are_left_out(self, alice, bob, charlie):
        request_friendship(bob, user_id=charlie.id)
        assert answers(alice, [bob.id, charlie.id, alice.id]) == {}

    def test_each_side_sees_its_own(self, alice, bob, charlie):
        request = request_friendship(alice, user_id=bob.id)
        assert answers(alice, [bob.id, charlie.id]) == {bob.id: "outgoing"}
        assert answers(bob, [alice.id, charlie.id]) == {alice.id: "incoming"}
        accept_request(bob, request_id=request.id)
        assert answers(alice, [bob.id]) == {bob.id: "friends"}
        assert answers(bob, [alice.id]) == {alice.id: "friends"}

    def test_what_has_ended_is_none(self, alice, bob, charlie, befriend):
        befriend(alice, bob)
        remove_friend(alice, friend_id=bob.id)
        reject_request(charlie, request_id=request_friendship(alice, user_id=charlie.id).id)
        assert answers(alice, [bob.id, charlie.id]) == {}

    def test_who_blocked_sees_it_and_who_is_blocked_does_not(self, alice, bob, befriend):
        befriend(alice, bob)
        block_user(alice, user_id=bob.id)
        assert answers(alice, [bob.id]) == {bob.id: "blocked"}
        assert answers(bob, [alice.id]) == {}

    def test_only_those_asked_for_are_told(self, alice, bob, charlie, befriend):
        befriend(alice, bob)
        befriend(alice, charlie)
        assert answers(alice, [bob.id]) == {bob.id: "friends"}

    def test_nobody_asked_for_takes_no_query(self, alice, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert answers(alice, []) == {}

    @pytest.mark.parametrize("count", [1, 10, 30])
    def test_three_queries_whatever_the_number(
        self, alice, others, befriend, django_assert_num_queries, count
    ):
        for number, other in enumerate(others):
            match number % 4:
                case 0:
                    befriend(alice, other)
                case 1:
                    request_friendship(alice, user_id=other.id)
                case 2:
                    request_friendship(other, user_id=alice.id)
                case 3:
                    block_user(alice, user_id=other.id)
        asked = [other.id for other in others[:count]]
        with django_assert_num_queries(3):
            found = answers(alice, asked)
        names = ("friends", "outgoing", "incoming", "blocked")
        assert found == {id_: names[number % 4] for number, id_ in enumerate(asked)}


class TestApi:
    """GET /users/{id} shows the answer."""

    def test_the_relationship_goes_from_none_to_friends_and_back(self, alice, bob, client_of):
        clients = {alice: client_of(alice), bob: client_of(bob)}

        def relationship(viewer, user):
            answer = clients[viewer].get(f"/api/v1/users/{user.id}")
            assert answer.status_code == 200
            return answer.json()["relationship"]

        assert (relationship(alice, bob), relationship(bob, alice)) == ("none", "none")
        request = request_friendship(alice, user_id=bob.id)
        assert (relationship(alice, bob), relationship(bob, alice)) == ("outgoing", "incoming")
        accept_request(bob, request_id=request.id)
        assert (relationship(alice, bob), relationship(bob, alice)) == ("friends", "friends")
        remove_friend(bob, friend_id=alice.id)
        assert (relationship(alice, bob), relationship(bob, alice)) == ("none", "none")
