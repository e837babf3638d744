"""What becomes of friends, requests and blocks when a user is erased."""

from functools import partial

import pytest

from accounts.models import User
from accounts.services import erase_users
from core.errors import NotFound, SessionRevoked
from eventlog.log import user_stream
from friendships import services
from friendships.models import Block, FriendRequest, Friendship
from tests.cards import erased, in_the_log

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_erasures_end")]


class TestService:
    def test_friends_are_told_and_see_nobody(self, alice, bob, charlie, befriend, erase, events_of):
        befriend(alice, bob)
        befriend(charlie, alice)
        left = erase(alice)
        assert not Friendship.objects.exists()
        for friend in (bob, charlie):
            last = events_of(user_stream(friend.id))[-1]
            assert (last["type"], last["data"]["user"]["display_name"]) == ("friend.removed", "Deleted user")
        assert in_the_log(alice) == {left.username}

    @pytest.mark.parametrize(
        ("asks", "type_", "status"),
        [("alice", "friend.cancelled", "cancelled"), ("bob", "friend.rejected", "rejected")],
    )
    def test_a_request_of_either_side_ends(self, alice, bob, erase, events_of, asks, type_, status):
        sender, recipient = (alice, bob) if asks == "alice" else (bob, alice)
        services.request_friendship(sender, user_id=recipient.id, message="It's Alice!")
        left = erase(alice)
        request = FriendRequest.objects.get()
        assert (request.status, request.pending_key) == (status, None)
        frames = events_of(user_stream(bob.id))
        assert [frame["type"] for frame in frames] == ["friend.request", type_]
        assert in_the_log(alice) == {left.username}

    def test_what_the_user_wrote_in_requests_goes_and_what_others_wrote_stays(
        self, alice, bob, charlie, erase, events_of
    ):
        request = services.request_friendship(alice, user_id=bob.id, message="It's Alice!")
        services.accept_request(bob, request_id=request.id)
        services.request_friendship(charlie, user_id=alice.id, message="It's Charlie!")
        erase(alice)
        assert set(FriendRequest.objects.values_list("message", flat=True)) == {"", "It's Charlie!"}
        assert {frame["data"].get("message", "") for frame in events_of(user_stream(bob.id))} == {""}
        assert {frame["data"]["message"] for frame in events_of(user_stream(charlie.id))} == {"It's Charlie!"}

    def test_no_block_is_left(self, alice, bob, charlie, erase):
        services.block_user(alice, user_id=bob.id)
        services.block_user(bob, user_id=alice.id)
        services.block_user(bob, user_id=charlie.id)
        erase(alice)
        assert [block.blocked for block in Block.objects.all()] == [charlie]

    def test_pages_miss_none(self, alice, erase, befriend, monkeypatch):
        monkeypatch.setattr(services, "_REQUESTS_AT_ONCE", 2)
        for number in range(5):
            befriend(alice, User.objects.create_user(f"dora{number}", f"dora{number}@example.com"))
        left = erase(alice)
        assert not Friendship.objects.exists()
        assert in_the_log(alice) == {left.username}

    def test_nothing_new_begins(self, alice, bob, erase):
        erase(alice)
        with pytest.raises(SessionRevoked):
            services.request_friendship(alice, user_id=bob.id)
        with pytest.raises(SessionRevoked):
            services.block_user(alice, user_id=bob.id)
        with pytest.raises(NotFound):
            services.request_friendship(bob, user_id=alice.id)

    def test_whatever_happens_at_the_same_moment_nothing_and_no_name_is_left(
        self, bob, charlie, befriend, race
    ):
        for number in range(6):
            alice = User.objects.create_user("alice", "alice@example.com")
            befriend(alice, charlie)
            request = services.request_friendship(alice, user_id=bob.id)
            if number % 2:
                race(
                    partial(erase_users, [alice], erases_messages=False),
                    partial(services.accept_request, bob, request_id=request.id),
                    partial(services.remove_friend, alice, friend_id=charlie.id),
                )
            else:
                services.reject_request(bob, request_id=request.id)
                race(
                    partial(erase_users, [alice], erases_messages=False),
                    partial(services.request_friendship, alice, user_id=bob.id),
                    partial(services.request_friendship, bob, user_id=alice.id),
                    partial(services.block_user, alice, user_id=charlie.id),
                )
            left = erased(alice)
            assert in_the_log(alice) == {left.username}
            assert not Friendship.objects.exists()
            assert not Block.objects.exists()
            assert not FriendRequest.objects.filter(status="pending").exists()
