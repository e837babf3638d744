"""GET /users/presence, and `presence` in what REST says of users."""

from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services import update_me
from core.timestamps import rfc3339
from friendships.models import Friendship
from friendships.services import block_user, remove_friend, unblock_user
from realtime import presence_store
from realtime.presence_store import Entry
from rooms.services import create_room

URL = "/api/v1/users/presence"
ID = "01a20445-d2d2-7371-bae7-5ddc3d096593"
SEEN_AT = timezone.now()
OFFLINE = {"status": "offline", "last_seen_at": None}


def befriend(one, other):
    Friendship.objects.bulk_create([Friendship(user=one, friend=other), Friendship(user=other, friend=one)])


def put(user, status):
    presence_store.current().put([Entry(str(user.id), str(uuid4()), status)])
    User.objects.filter(id=user.id).update(last_seen_at=SEEN_AT)


def told(user, status):
    return {"user_id": str(user.id), "status": status, "last_seen_at": rfc3339(SEEN_AT)}


@pytest.fixture
def ask(alice, client_of):
    client = client_of(alice)
    return lambda *ids: client.get(URL, {"ids": ",".join(map(str, ids))})


class TestList:
    def test_friends_room_mates_and_oneself_in_the_order_asked(self, alice, bob, charlie, ask):
        dora = User.objects.create_user("dora", "dora@example.com")
        befriend(alice, bob)
        create_room(dora, name="Kitchen", member_ids=[alice.id])
        for user, status in ((alice, "online"), (bob, "away"), (charlie, "online"), (dora, "online")):
            put(user, status)
        response = ask(dora.id, charlie.id, alice.id, bob.id, uuid4(), dora.id)
        assert response.status_code == 200
        assert response.json() == [told(dora, "online"), told(alice, "online"), told(bob, "away")]

    def test_who_never_came_is_offline(self, alice, bob, ask):
        befriend(alice, bob)
        assert ask(bob.id).json() == [{"user_id": str(bob.id), **OFFLINE}]

    def test_who_was_a_room_mate_is_none(self, alice, bob, ask):
        room = create_room(alice, name="Kitchen", member_ids=[bob.id])
        assert len(ask(bob.id).json()) == 1
        room.memberships.filter(user=bob).update(left_pos=9)
        assert ask(bob.id).json() == []

    def test_a_suspended_friend_is_left_out(self, alice, bob, ask):
        befriend(alice, bob)
        User.objects.filter(id=bob.id).update(is_active=False)
        assert ask(bob.id).json() == []

    @pytest.mark.parametrize("who_blocks", ["alice", "bob"])
    def test_who_is_blocked_or_blocks_is_left_out_in_a_room_with_them_too(
        self, alice, bob, charlie, ask, client_of, who_blocks
    ):
        befriend(alice, bob)
        create_room(alice, name="Kitchen", member_ids=[bob.id, charlie.id])
        put(bob, "online")
        put(charlie, "online")
        one, other = (alice, bob) if who_blocks == "alice" else (bob, alice)
        block_user(one, user_id=other.id)
        assert ask(bob.id, charlie.id).json() == [told(charlie, "online")]
        # Whom alice has blocked she sees, but not whether they are here.
        profile = client_of(alice).get(f"/api/v1/users/{bob.id}")
        assert profile.status_code == (200 if who_blocks == "alice" else 404)
        assert profile.json().get("presence") == (OFFLINE if who_blocks == "alice" else None)
        unblock_user(one, user_id=other.id)
        assert ask(bob.id).json() == [told(bob, "online")]

    def test_100_are_few_enough(self, ask):
        assert ask(*(uuid4() for _ in range(100))).json() == []

    @pytest.mark.parametrize(
        "ids",
        [
            None,
            "",
            ",",
            "abc",
            "\N{GRINNING FACE}",
            f"{ID},",
            f"{ID} ,{ID}",
            f"{{{ID}}}",
            ",".join([ID] * 101),
        ],
    )
    def test_anything_but_1_to_100_ids_is_refused(self, alice, client_of, ids):
        response = client_of(alice).get(URL, {} if ids is None else {"ids": ids})
        assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
        assert response.json()["errors"][0]["attr"] == "ids"

    def test_an_anonymous_caller_gets_401(self, bob, anonymous):
        assert anonymous.get(URL, {"ids": str(bob.id)}).status_code == 401


@pytest.fixture
def dora(bob):
    """A friend of bob's and a room-mate of his and of alice's, as bob is of alice's."""
    dora = User.objects.create_user("dora", "dora@example.com")
    befriend(bob, dora)
    return dora


class TestLastSeen:
    """Bob lets everyone, his friends or nobody see whether he is here."""

    @pytest.mark.parametrize(
        ("last_seen", "seen_by"), [("everyone", {"alice", "dora"}), ("friends", {"dora"}), ("nobody", set())]
    )
    def test_to_the_others_around_him_he_never_came(
        self, alice, bob, charlie, dora, client_of, last_seen, seen_by
    ):
        create_room(alice, name="Kitchen", member_ids=[bob.id, dora.id])
        put(bob, "online")
        update_me(bob, settings={"last_seen": last_seen})
        for viewer in (alice, dora):
            client, sees = client_of(viewer), viewer.username in seen_by
            presence = {"status": "online", "last_seen_at": rfc3339(SEEN_AT)} if sees else OFFLINE
            assert client.get(URL, {"ids": bob.id}).json() == [{"user_id": str(bob.id), **presence}]
            assert client.get(f"/api/v1/users/{bob.id}").json()["presence"] == presence
            (found,) = client.get("/api/v1/users", {"search": "bob"}).json()["results"]
            assert found["presence"] == presence
        assert client_of(charlie).get(URL, {"ids": bob.id}).json() == []
        assert client_of(charlie).get(f"/api/v1/users/{bob.id}").json()["presence"] == OFFLINE
        assert client_of(bob).get(URL, {"ids": bob.id}).json() == [told(bob, "online")]
        assert client_of(bob).get("/api/v1/users/me").json()["presence"]["status"] == "online"

    def test_it_is_of_bob_and_not_of_what_he_sees(self, alice, bob, client_of):
        create_room(alice, name="Kitchen", member_ids=[bob.id])
        put(alice, "online")
        update_me(bob, settings={"last_seen": "nobody"})
        assert client_of(bob).get(URL, {"ids": alice.id}).json() == [told(alice, "online")]

    def test_a_friend_who_is_none_any_more_sees_as_much_as_a_room_mate(self, alice, bob, client_of):
        befriend(alice, bob)
        create_room(alice, name="Kitchen", member_ids=[bob.id])
        put(bob, "online")
        update_me(bob, settings={"last_seen": "friends"})
        assert client_of(alice).get(URL, {"ids": bob.id}).json() == [told(bob, "online")]
        remove_friend(alice, friend_id=bob.id)
        assert client_of(alice).get(URL, {"ids": bob.id}).json() == [{"user_id": str(bob.id), **OFFLINE}]

    def test_queries_do_not_grow_with_the_users(self, alice, client_of, django_assert_num_queries):
        users = [
            User.objects.create_user(f"dora{n:02}", f"dora{n}@example.com", last_seen=last_seen)
            for n, last_seen in enumerate(["everyone", "friends", "nobody"] * 34)
        ]
        create_room(alice, name="Kitchen", member_ids=[user.id for user in users])
        client = client_of(alice)
        for count in (1, 10, 100):
            with django_assert_num_queries(5):
                found = client.get(URL, {"ids": ",".join(str(user.id) for user in users[:count])})
            assert len(found.json()) == count
            # The session, the users, three of relationships, friends, room-mates, blocks.
            with django_assert_num_queries(8):
                found = client.get("/api/v1/users", {"search": "dora", "limit": count})
            assert len(found.json()["results"]) == count


class TestProfiles:
    def test_a_friend_sees_it_and_a_stranger_does_not(self, alice, bob, charlie, client_of):
        befriend(alice, bob)
        put(bob, "away")
        seen = {
            viewer.username: client_of(viewer).get(f"/api/v1/users/{bob.id}").json()["presence"]
            for viewer in (alice, charlie)
        }
        assert seen == {
            "alice": {"status": "away", "last_seen_at": rfc3339(SEEN_AT)},
            "charlie": OFFLINE,
        }

    def test_in_a_search_too(self, alice, bob, client_of):
        User.objects.create_user("bobby", "bobby@example.com")
        befriend(alice, bob)
        put(bob, "online")
        found = client_of(alice).get("/api/v1/users", {"search": "bob"}).json()["results"]
        assert [user["presence"]["status"] for user in found] == ["online", "offline"]

    def test_one_sees_ones_own(self, alice, client_of):
        client = client_of(alice)
        assert client.get("/api/v1/users/me").json()["presence"] == OFFLINE
        put(alice, "online")
        assert client.get("/api/v1/users/me").json()["presence"]["status"] == "online"
