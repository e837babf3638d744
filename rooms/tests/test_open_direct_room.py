from uuid import uuid4

import pytest

from accounts.models import User
from accounts.services import update_me
from core.errors import Blocked, Forbidden, NotFound, ValidationFailed
from eventlog.log import user_stream
from eventlog.models import Event, Stream
from friendships.models import Block
from friendships.services import block_user, remove_friend, unblock_user
from rooms import services
from rooms.models import Membership, Room
from rooms.selectors import get_membership, refusal_to_write

pytestmark = pytest.mark.django_db


class TestService:
    def test_both_are_members_and_nobody_owns_it(self, alice, bob, membership_of):
        room, is_new = services.open_direct_room(alice, user_id=bob.id)
        assert is_new
        assert (room.type, room.name, room.slug, room.member_count) == ("direct", "", None, 2)
        assert membership_of(alice, room).role == membership_of(bob, room).role == "member"

    def test_either_one_finds_the_same_room_again_without_events(self, alice, bob):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        before = Event.objects.count()
        assert services.open_direct_room(alice, user_id=bob.id) == (room, False)
        assert services.open_direct_room(bob, user_id=alice.id) == (room, False)
        assert Event.objects.count() == before
        assert Stream.objects.filter(name__startswith="room:").count() == 1

    def test_oneself_is_refused(self, alice):
        with pytest.raises(ValidationFailed) as caught:
            services.open_direct_room(alice, user_id=alice.id)
        assert [(error.attr, error.code) for error in caught.value.errors] == [("user_id", "self")]

    def test_an_unknown_user_is_not_found(self, alice):
        with pytest.raises(NotFound):
            services.open_direct_room(alice, user_id=uuid4())

    @pytest.mark.parametrize("has_room", [True, False])
    def test_neither_opens_one_while_one_of_them_blocks_the_other(self, alice, bob, charlie, has_room):
        if has_room:
            services.open_direct_room(alice, user_id=bob.id)
        block_user(alice, user_id=bob.id)
        for one, other in ((alice, bob), (bob, alice)):
            with pytest.raises(Blocked):
                services.open_direct_room(one, user_id=other.id)
        assert Room.objects.count() == has_room
        assert services.open_direct_room(charlie, user_id=alice.id)[1]
        unblock_user(alice, user_id=bob.id)
        assert services.open_direct_room(bob, user_id=alice.id)[1] is not has_room

    def test_each_gets_room_joined_with_the_other_one_as_peer(self, alice, bob, events_of):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        assert events_of(room.stream) == []
        for user, other in ((alice, bob), (bob, alice)):
            (frame,) = events_of(f"user:{user.id}")
            assert frame["type"] == "room.joined"
            assert (frame["data"]["stream"], frame["data"]["pos"]) == (room.stream, 0)
            assert frame["data"]["room"]["peer"]["id"] == str(other.id)
            assert frame["data"]["room"]["my"]["role"] == "member"

    @pytest.mark.django_db(transaction=True)
    def test_however_many_ask_at_once_there_is_one_room(self, race, rounds):
        for turn in rounds:
            one, other = (
                User.objects.create_user(f"{name}{turn}", f"{name}{turn}@example.com") for name in "xy"
            )
            if turn % 2:  # in the other races their streams are made, too
                Stream.objects.bulk_create(Stream(name=user_stream(user.id)) for user in (one, other))
            outcomes = race(
                *[lambda one=one, other=other: services.open_direct_room(one, user_id=other.id)] * 2,
                *[lambda one=one, other=other: services.open_direct_room(other, user_id=one.id)] * 2,
            )
            assert sorted(is_new for _, is_new in outcomes) == [False, False, False, True]
            assert len({room.id for room, _ in outcomes}) == 1
            assert Room.objects.count() == turn + 1
            assert Membership.objects.count() == 2 * (turn + 1)
        assert Event.objects.filter(type="room.joined").count() == Event.objects.count() == 2 * len(rounds)
        assert Stream.objects.filter(name__startswith="room:").count() == len(rounds)

    @pytest.mark.django_db(transaction=True)
    def test_none_is_opened_after_a_block_that_comes_at_the_same_moment(self, race):
        for turn in range(10):
            one, other = (
                User.objects.create_user(f"{name}{turn}", f"{name}{turn}@example.com") for name in "xy"
            )
            blocked, opened = race(
                lambda one=one, other=other: block_user(other, user_id=one.id),
                lambda one=one, other=other: services.open_direct_room(one, user_id=other.id),
            )
            assert blocked is None
            assert Membership.objects.filter(user=one).count() == (not isinstance(opened, Blocked))
            with pytest.raises(Blocked):
                services.open_direct_room(one, user_id=other.id)
        assert Block.objects.count() == 10


class TestMessagesFrom:
    """Bob wants only friends to open a direct room with him."""

    @pytest.fixture(autouse=True)
    def _choosy(self, bob):
        update_me(bob, settings={"messages_from": "friends"})

    def test_a_friend_may_and_others_may_not(self, alice, bob, charlie, befriend):
        befriend(alice, bob)
        with pytest.raises(Forbidden):
            services.open_direct_room(charlie, user_id=bob.id)
        assert not Event.objects.filter(type="room.joined").exists()
        assert services.open_direct_room(alice, user_id=bob.id)[1]

    def test_he_may_with_anyone_himself(self, bob, charlie):
        room, is_new = services.open_direct_room(bob, user_id=charlie.id)
        assert is_new
        assert services.open_direct_room(charlie, user_id=bob.id) == (room, False)

    def test_the_room_that_there_is_goes_on(self, alice, bob, befriend):
        befriend(alice, bob)
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        remove_friend(bob, friend_id=alice.id)
        assert services.open_direct_room(alice, user_id=bob.id) == (room, False)
        assert refusal_to_write(get_membership(alice.id, str(room.id))) is None

    def test_a_block_comes_before_it(self, bob, charlie):
        block_user(bob, user_id=charlie.id)
        with pytest.raises(Blocked):
            services.open_direct_room(charlie, user_id=bob.id)

    def test_who_is_refused_gets_403_forbidden(self, bob, charlie, client_of):
        answer = client_of(charlie).post("/api/v1/rooms/direct", {"user_id": str(bob.id)})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    @pytest.mark.django_db(transaction=True)
    def test_none_is_opened_after_a_switch_that_comes_at_the_same_moment(self, bob, race):
        for turn in range(10):
            other = User.objects.create_user(f"x{turn:02}", f"x{turn}@example.com")
            update_me(bob, settings={"messages_from": "everyone"})
            _, opened = race(
                lambda: update_me(bob, settings={"messages_from": "friends"}),
                lambda other=other: services.open_direct_room(other, user_id=bob.id),
            )
            assert Membership.objects.filter(user=other).count() == (not isinstance(opened, Forbidden))
            newcomer = User.objects.create_user(f"y{turn:02}", f"y{turn}@example.com")
            with pytest.raises(Forbidden):
                services.open_direct_room(newcomer, user_id=bob.id)


class TestApi:
    def test_the_first_time_is_201_and_the_next_200(self, alice, bob, client_of):
        first = client_of(alice).post("/api/v1/rooms/direct", {"user_id": str(bob.id)})
        again = client_of(bob).post("/api/v1/rooms/direct", {"user_id": str(alice.id)})
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["id"] == again.json()["id"]
        assert first.json()["type"] == "direct"
        assert first.json()["peer"]["username"] == "bob"
        assert again.json()["peer"]["username"] == "alice"

    def test_oneself_is_400(self, alice, client_of):
        answer = client_of(alice).post("/api/v1/rooms/direct", {"user_id": str(alice.id)})
        assert answer.status_code == 400
        assert [error["code"] for error in answer.json()["errors"]] == ["self"]

    def test_both_sides_of_a_block_get_the_same_403(self, alice, bob, client_of):
        block_user(alice, user_id=bob.id)
        bodies = []
        for one, other in ((alice, bob), (bob, alice)):
            answer = client_of(one).post("/api/v1/rooms/direct", {"user_id": str(other.id)})
            assert answer.status_code == 403
            bodies.append(answer.json() | {"request_id": ""})
        assert bodies[0] == bodies[1]
        assert bodies[0]["code"] == "blocked"

    def test_an_unknown_user_is_404(self, alice, client_of):
        answer = client_of(alice).post("/api/v1/rooms/direct", {"user_id": str(uuid4())})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize("body", [{}, {"user_id": "bob"}, {"user_id": None}])
    def test_an_invalid_body_is_400(self, alice, client_of, body):
        assert client_of(alice).post("/api/v1/rooms/direct", body).status_code == 400

    def test_the_word_is_not_a_room(self, alice, client_of):
        assert client_of(alice).get("/api/v1/rooms/direct").status_code == 405

    def test_a_stranger_gets_404(self, alice, bob, charlie, client_of):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        assert client_of(charlie).get(f"/api/v1/rooms/{room.id}").status_code == 404

    def test_anonymous_gets_401(self, bob, anonymous):
        answer = anonymous.post("/api/v1/rooms/direct", {"user_id": str(bob.id)})
        assert answer.status_code == 401
