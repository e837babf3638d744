import pytest
from django.db import transaction

from accounts.models import User
from core.errors import AlreadyMember, NotFound
from eventlog.models import Event
from rooms import services
from rooms.models import Invite, Membership, Room
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db

ROUNDS = 50


@pytest.fixture
def invite(alice, room):
    """Good twice."""
    return services.create_invite(alice, room_key="kitchen", max_uses=2)


def accept(user, invite):
    return services.accept_invite(user, code=invite.code)


def uses():
    return Invite.objects.get().uses


class TestService:
    def test_one_comes_in_as_a_member_and_a_use_is_spent(self, charlie, invite, room, membership_of):
        assert accept(charlie, invite) == room
        assert (uses(), Room.objects.get().member_count) == (1, 3)
        membership = membership_of(charlie, room)
        assert (membership.role, membership.left_pos, membership.joined_pos) == ("member", None, 1)

    def test_the_events_are_exact(self, charlie, invite, room, events_of):
        accept(charlie, invite)
        (added,) = events_of(room.stream)
        assert (added["type"], added["pos"]) == ("member.added", 1)
        assert added["data"]["user"]["id"] == added["data"]["by"] == str(charlie.id)
        (joined,) = events_of(f"user:{charlie.id}")
        assert (joined["type"], joined["data"]["pos"]) == ("room.joined", 1)
        event = Event.objects.get(stream__name=f"user:{charlie.id}")
        assert (event.opens, event.opens_after) == (room.stream, 1)
        assert invite.code not in str([added, joined])

    def test_members_are_told_that_they_are_and_no_use_is_spent(self, alice, bob, charlie, invite):
        accept(charlie, invite)
        for user in (alice, bob, charlie):
            with pytest.raises(AlreadyMember):
                accept(user, invite)
        assert uses() == 1

    def test_who_had_the_last_use_and_asks_again_is_told_so_too(self, charlie, invite):
        Invite.objects.update(max_uses=1)
        accept(charlie, invite)
        with pytest.raises(AlreadyMember):
            accept(charlie, invite)

    def test_used_up_it_lets_nobody_in(self, bob, charlie, erin, invite, events_of, room):
        for user in (bob, erin):
            services.leave_room(user, room_key="kitchen")
            accept(user, invite)
        before = events_of(room.stream)
        with pytest.raises(NotFound):
            accept(charlie, invite)
        assert events_of(room.stream) == before
        assert uses() == 2

    def test_who_left_comes_back_by_it_and_who_was_put_out_too(self, alice, bob, invite):
        services.remove_member(alice, room_key="kitchen", user_id=bob.id)
        accept(bob, invite)
        assert Membership.active.filter(user=bob).exists()

    def test_who_is_banned_does_not_come_in_and_no_use_is_spent(self, alice, bob, invite):
        services.ban_user(alice, room_key="kitchen", user_id=bob.id)
        with pytest.raises(NotFound):
            accept(bob, invite)
        assert uses() == 0

    def test_one_of_a_deleted_room_is_not_there(self, alice, charlie, invite):
        services.delete_room(alice, room_key="kitchen")
        with pytest.raises(NotFound):
            accept(charlie, invite)

    def test_a_locked_room_takes_people_in(self, alice, charlie, invite):
        services.update_room(alice, room_key="kitchen", state="locked")
        assert accept(charlie, invite).member_count == 3

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, charlie, invite, room, announced):
        with transaction.atomic():
            accept(charlie, invite)
            assert announced() == []
            transaction.set_rollback(True)
        assert (announced(), uses()) == ([], 0)
        accept(charlie, invite)
        assert announced() == [(room.stream, "member.added"), (f"user:{charlie.id}", "room.joined")]

    @pytest.mark.django_db(transaction=True)
    def test_of_those_who_want_the_last_use_at_once_one_gets_it(self, alice, room, race):
        users = [User.objects.create_user(f"user{n}", f"user{n}@example.com") for n in range(4)]
        for _ in range(ROUNDS):
            invite = services.create_invite(alice, room_key="kitchen", max_uses=1)
            outcomes = race(*(lambda user=user, invite=invite: accept(user, invite) for user in users))
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NotFound"] * 3 + ["Room"]
            (winner,) = Membership.active.filter(user__in=users)
            assert Room.objects.get().member_count == 3
            invite.refresh_from_db()
            assert invite.uses == 1
            services.leave_room(winner.user, room_key="kitchen")

    @pytest.mark.django_db(transaction=True)
    def test_however_often_one_accepts_at_once_one_use_is_spent(self, charlie, invite, race):
        outcomes = race(*[lambda: accept(charlie, invite)] * 4)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyMember"] * 3 + ["Room"]
        assert uses() == 1


class TestApi:
    def url(self, invite):
        return f"/api/v1/invites/{invite.code}/accept"

    def test_the_room_comes_back_as_i_see_it(self, charlie, invite, client_of):
        client = client_of(charlie)
        answer = client.post(self.url(invite))
        assert answer.status_code == 200
        assert answer.json() == client.get("/api/v1/rooms/kitchen").json()
        again = client.post(self.url(invite))
        assert (again.status_code, again.json()["code"]) == (409, "already_member")

    def test_whatever_keeps_one_out_looks_like_an_unknown_code(self, alice, charlie, invite, client_of):
        client, bodies = client_of(charlie), []
        bodies.append(client.post("/api/v1/invites/no-such-code/accept").json())
        services.ban_user(alice, room_key="kitchen", user_id=charlie.id)
        bodies.append(client.post(self.url(invite)).json())
        services.unban_user(alice, room_key="kitchen", user_id=charlie.id)
        Invite.objects.update(uses=2)
        bodies.append(client.post(self.url(invite)).json())
        assert {body["code"] for body in bodies} == {"not_found"}
        assert len({str(body | {"request_id": ""}) for body in bodies}) == 1

    def test_anonymous_gets_401(self, invite, anonymous):
        assert anonymous.post(self.url(invite)).status_code == 401


class TestFrame:
    async def test_who_accepts_follows_the_room_from_then_on(self, each_server: LiveServer) -> None:
        alice, charlie = Person(each_server, "alice"), Person(each_server, "charlie")
        room = alice.group()
        code = alice.call("POST", f"/rooms/{room}/invites", json={"max_uses": 1}).json()["code"]
        async with alice.socket() as hers, charlie.socket() as theirs:
            await hers.until("ready")
            await theirs.until("ready")
            assert charlie.call("POST", f"/invites/{code}/accept").status_code == 200
            assert (await hers.until("member.added"))["data"]["user"]["id"] == charlie.id
            await theirs.until("room.joined")
            await hers.send("message", {"room_id": room, "content": "Welcome"})
            assert (await theirs.until("message"))["pos"] == 2
