import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.errors import AlreadyMember, NotFound
from eventlog.models import Event
from rooms import services
from rooms.models import Membership, Room
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def hall(alice, bob):
    return services.create_room(
        alice, name="Town hall", slug="hall", visibility="public", member_ids=[bob.id]
    )


class TestService:
    def test_one_comes_in_as_a_member(self, charlie, hall, membership_of):
        room = services.join_room(charlie, room_key="hall")
        assert (room.id, room.member_count) == (hall.id, 3)
        assert Room.objects.get().member_count == 3
        membership = membership_of(charlie, hall)
        assert (membership.role, membership.left_pos, membership.joined_pos) == ("member", None, 1)

    def test_the_events_are_exact(self, charlie, hall, events_of):
        services.join_room(charlie, room_key=str(hall.id))
        (added,) = events_of(hall.stream)
        assert (added["type"], added["pos"]) == ("member.added", 1)
        assert added["data"]["user"]["id"] == added["data"]["by"] == str(charlie.id)
        (joined,) = events_of(f"user:{charlie.id}")
        assert joined["type"] == "room.joined"
        assert (joined["data"]["stream"], joined["data"]["pos"]) == (hall.stream, 1)
        event = Event.objects.get(stream__name=f"user:{charlie.id}")
        assert (event.opens, event.opens_after) == (hall.stream, 1)

    def test_one_who_left_comes_back_as_a_member_and_their_preferences_are_kept(
        self, bob, hall, membership_of
    ):
        Membership.objects.filter(user=bob).update(role="admin", pinned=True)
        services.leave_room(bob, room_key="hall")
        services.join_room(bob, room_key="hall")
        membership = membership_of(bob, hall)
        assert (membership.role, membership.pinned, membership.left_pos) == ("member", True, None)

    def test_what_one_may_not_join_is_not_there(self, alice, bob, charlie, hall, room):
        direct, _ = services.open_direct_room(alice, user_id=bob.id)
        services.ban_user(alice, room_key="hall", user_id=charlie.id)
        before = Event.objects.count()
        for key in ("kitchen", str(room.id), str(direct.id), "hall", str(hall.id), "no-such-room", "x y", ""):
            with pytest.raises(NotFound):
                services.join_room(charlie, room_key=key)
        assert Event.objects.count() == before

    @pytest.mark.parametrize("state", ["locked", "archived", "deleted"])
    def test_a_closed_room_is_not_there(self, charlie, hall, state):
        Room.objects.update(state=state)
        with pytest.raises(NotFound):
            services.join_room(charlie, room_key="hall")

    def test_members_are_told_that_they_are(self, alice, bob, hall, room):
        for key in ("hall", "kitchen"):
            for user in (alice, bob):
                with pytest.raises(AlreadyMember):
                    services.join_room(user, room_key=key)

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, charlie, hall, announced):
        with transaction.atomic():
            services.join_room(charlie, room_key="hall")
            assert announced() == []
            transaction.set_rollback(True)
        assert announced() == []
        assert not Membership.objects.filter(user=charlie).exists()
        services.join_room(charlie, room_key="hall")
        assert announced() == [(hall.stream, "member.added"), (f"user:{charlie.id}", "room.joined")]

    @pytest.mark.django_db(transaction=True)
    def test_however_often_one_joins_at_once_they_come_in_once(self, charlie, hall, race, events_of):
        for turn in range(1, 11):
            outcomes = race(*[lambda: services.join_room(charlie, room_key="hall")] * 3)
            assert sorted(type(outcome).__name__ for outcome in outcomes) == [
                "AlreadyMember",
                "AlreadyMember",
                "Room",
            ]
            assert Room.objects.get().member_count == 3
            types = [frame["type"] for frame in events_of(hall.stream)]
            assert types == ["member.added", "member.removed"] * (turn - 1) + ["member.added"]
            services.leave_room(charlie, room_key="hall")

    @pytest.mark.django_db(transaction=True)
    def test_who_is_banned_at_the_same_moment_is_not_in_it_afterwards(self, alice, charlie, hall, race):
        for _ in range(20):
            race(
                lambda: services.join_room(charlie, room_key="hall"),
                lambda: services.ban_user(alice, room_key="hall", user_id=charlie.id),
            )
            assert not Membership.active.filter(user=charlie).exists()
            assert Room.objects.get().member_count == 2
            services.unban_user(alice, room_key="hall", user_id=charlie.id)


class TestApi:
    def test_the_room_comes_back_as_i_see_it(self, charlie, hall, client_of):
        client = client_of(charlie)
        answer = client.post("/api/v1/rooms/hall/join")
        assert answer.status_code == 200
        assert answer.json() == client.get("/api/v1/rooms/hall").json()
        assert (answer.json()["my"]["role"], answer.json()["member_count"]) == ("member", 3)
        again = client.post("/api/v1/rooms/hall/join")
        assert (again.status_code, again.json()["code"]) == (409, "already_member")

    def test_a_private_room_looks_like_one_that_bans_me_and_like_none(
        self, alice, charlie, hall, room, client_of
    ):
        services.ban_user(alice, room_key="hall", user_id=charlie.id, reason="Spam")
        bodies = []
        for key in ("kitchen", "hall", "attic"):
            answer = client_of(charlie).post(f"/api/v1/rooms/{key}/join")
            assert answer.status_code == 404
            bodies.append(answer.json() | {"request_id": ""})
        assert bodies[0] == bodies[1] == bodies[2]

    def test_anonymous_gets_401(self, hall, anonymous):
        assert anonymous.post("/api/v1/rooms/hall/join").status_code == 401

    def test_the_number_of_queries_does_not_grow_with_the_members(self, alice, charlie, hall, client_of):
        client, counts, made = client_of(charlie), [], 0
        client.post("/api/v1/rooms/hall/join")
        for size in (1, 10, 100):
            users = [User.objects.create_user(f"u{n}", f"u{n}@example.com") for n in range(made, size)]
            services.add_members(alice, room_key="hall", user_ids=[user.id for user in users])
            made = size
            services.leave_room(charlie, room_key="hall")
            with CaptureQueriesContext(connection) as queries:
                assert client.post("/api/v1/rooms/hall/join").status_code == 200
            counts.append(len(queries))
        assert len(set(counts)) == 1


class TestFrame:
    async def test_who_joins_follows_the_room_from_then_on(self, each_server: LiveServer) -> None:
        alice, charlie = Person(each_server, "alice"), Person(each_server, "charlie")
        room = alice.group(visibility="public")
        async with alice.socket() as hers, charlie.socket() as theirs:
            await hers.until("ready")
            await theirs.until("ready")
            assert charlie.call("POST", f"/rooms/{room}/join").status_code == 200
            assert (await hers.until("member.added"))["data"]["user"]["id"] == charlie.id
            await theirs.until("room.joined")
            await hers.send("message", {"room_id": room, "content": "Welcome"})
            assert (await theirs.until("message"))["pos"] == 2
