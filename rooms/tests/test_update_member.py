"""PATCH /rooms/{id}/members/{user_id}: roles, and mutes by the admins."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import transaction

from core.errors import Forbidden, LastOwner, NotFound
from eventlog.models import Event
from rooms import services
from rooms.models import Membership
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db

ROUNDS = 50
LATER = datetime(2999, 1, 1, tzinfo=UTC)
ROLES = ("owner", "admin", "member")


def update(actor, user, **changes):
    return services.update_member(actor, room_key="kitchen", user_id=user.id, **changes)


def role_of(user):
    return Membership.objects.get(user=user).role


class TestRole:
    def test_an_owner_gives_any_role(self, alice, bob, room):
        for role in (*ROLES, "admin"):
            assert update(alice, bob, role=role).role == role == role_of(bob)

    def test_the_event_is_exact(self, alice, bob, room, events_of):
        update(alice, bob, role="admin")
        (frame,) = events_of(room.stream)
        assert (frame["type"], frame["pos"]) == ("member.updated", 1)
        assert frame["data"] == {
            "room_id": str(room.id),
            "user": {
                "id": str(bob.id),
                "username": "bob",
                "display_name": "bob",
                "avatar_url": None,
                "is_bot": False,
            },
            "role": "admin",
            "muted_until": None,
            "by": str(alice.id),
        }
        event = Event.objects.get(stream__name=room.stream)
        assert (event.actor_id, event.object_id, event.ends_for, event.opens) == (alice.id, bob.id, "", "")

    def test_the_same_again_changes_nothing_and_tells_nobody(self, alice, bob, room, events_of):
        for changes in ({}, {"role": "member"}, {"muted_until": None}):
            assert update(alice, bob, **changes).role == "member"
        assert events_of(room.stream) == []

    def test_an_admin_gives_none_not_even_to_themselves(self, alice, bob, dave, room):
        for user in (alice, bob, dave):
            for role in ROLES:
                with pytest.raises(Forbidden):
                    update(dave, user, role=role)

    def test_a_member_changes_nobody_and_learns_nothing(self, alice, bob, erin, room):
        for user_id in (alice.id, bob.id, erin.id, uuid4()):
            with pytest.raises(Forbidden):
                services.update_member(bob, room_key="kitchen", user_id=user_id, role="owner")

    def test_the_last_owner_does_not_step_down(self, alice, bob, room, events_of):
        for role in ("admin", "member"):
            with pytest.raises(LastOwner):
                update(alice, alice, role=role)
        assert events_of(room.stream) == []
        update(alice, bob, role="owner")
        assert update(alice, alice, role="member").role == "member"

    def test_nobody_steps_down_who_is_alone(self, alice, bob, room):
        services.leave_room(bob, room_key="kitchen")
        with pytest.raises(LastOwner):
            update(alice, alice, role="admin")

    def test_an_owner_may_take_the_role_of_another_owner(self, alice, bob, room):
        update(alice, bob, role="owner")
        update(bob, alice, role="member")
        assert (role_of(alice), role_of(bob)) == ("member", "owner")

    def test_one_who_is_no_member_is_not_found(self, alice, bob, charlie, room):
        services.leave_room(bob, room_key="kitchen")
        for user_id in (bob.id, charlie.id, uuid4()):
            with pytest.raises(NotFound):
                services.update_member(alice, room_key="kitchen", user_id=user_id, role="admin")

    def test_a_direct_room_has_no_roles_to_give(self, alice, bob, charlie):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        for actor, error in ((alice, Forbidden), (charlie, NotFound)):
            for changes in ({"role": "owner"}, {"muted_until": LATER}):
                with pytest.raises(error):
                    services.update_member(actor, room_key=str(room.id), user_id=bob.id, **changes)

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, alice, bob, room, announced):
        with transaction.atomic():
            update(alice, bob, role="admin")
            assert announced() == []
            transaction.set_rollback(True)
        assert announced() == []
        assert role_of(bob) == "member"
        update(alice, bob, role="admin")
        assert announced() == [(room.stream, "member.updated")]


class TestMute:
    def test_it_is_the_admins_and_not_the_members_own(self, alice, bob, room):
        membership = update(alice, bob, muted_until=LATER)
        assert (membership.silenced_until, membership.muted_until) == (LATER, None)

    def test_everyone_hears_of_it_and_of_its_end(self, alice, bob, room, events_of):
        update(alice, bob, muted_until=LATER)
        update(alice, bob, muted_until=None)
        told = [(frame["type"], frame["data"]["muted_until"]) for frame in events_of(room.stream)]
        assert told == [("member.updated", "2999-01-01T00:00:00.000Z"), ("member.updated", None)]

    def test_a_role_and_a_mute_at_once_are_one_event(self, alice, dave, room, events_of):
        before = len(events_of(room.stream))
        update(alice, dave, role="member", muted_until=LATER)
        (frame,) = events_of(room.stream)[before:]
        assert (frame["data"]["role"], frame["data"]["muted_until"]) == ("member", "2999-01-01T00:00:00.000Z")

    def test_only_those_are_muted_who_are_just_members(self, alice, bob, dave, erin, room):
        assert update(dave, bob, muted_until=LATER).silenced_until == LATER
        Membership.objects.filter(user=erin).update(role="owner")
        for actor in (alice, dave):
            for user in (alice, dave, erin):
                for until in (LATER, None):
                    with pytest.raises(Forbidden):
                        update(actor, user, muted_until=until)
        with pytest.raises(Forbidden):
            update(alice, bob, role="admin", muted_until=LATER)

    def test_a_higher_role_ends_it(self, alice, bob, erin, room):
        for user in (bob, erin):
            update(alice, user, muted_until=LATER)
        assert update(alice, bob, role="admin").silenced_until is None
        assert update(alice, bob, role="member").silenced_until is None
        services.transfer_room(alice, room_key="kitchen", user_id=erin.id)
        assert Membership.objects.get(user=erin).silenced_until is None

    def test_who_is_muted_can_not_end_it(self, alice, bob, room):
        update(alice, bob, muted_until=LATER)
        with pytest.raises(Forbidden):
            update(bob, bob, muted_until=None)


@pytest.mark.django_db(transaction=True)
class TestRaces:
    """However owners go and step down at once, one stays."""

    def owners(self):
        return Membership.active.filter(role="owner").count()

    def begin_anew(self, *owners):
        Membership.objects.filter(user__in=owners).update(role="owner", left_pos=None)
        type(owners[0].memberships.get().room).objects.update(member_count=Membership.active.count())

    def test_of_two_owners_who_step_down_one_does(self, alice, bob, room, race):
        for _ in range(ROUNDS):
            self.begin_anew(alice, bob)
            outcomes = race(*(lambda user=user: update(user, user, role="member") for user in (alice, bob)))
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastOwner", "Membership"]
            assert self.owners() == 1

    def test_of_one_who_steps_down_and_one_who_leaves_one_stays_owner(self, alice, bob, erin, room, race):
        for _ in range(ROUNDS):
            self.begin_anew(alice, bob)
            outcomes = race(
                lambda: update(alice, alice, role="member"),
                lambda: services.leave_room(bob, room_key="kitchen"),
            )
            assert [isinstance(outcome, LastOwner) for outcome in outcomes].count(True) == 1
            assert self.owners() == 1

    def test_of_two_owners_who_put_each_other_down_one_stays(self, alice, bob, room, race):
        for _ in range(ROUNDS):
            self.begin_anew(alice, bob)
            outcomes = race(
                lambda: update(alice, bob, role="member"),
                lambda: update(bob, alice, role="member"),
            )
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Forbidden", "Membership"]
            assert self.owners() == 1


class TestApi:
    def url(self, user):
        return f"/api/v1/rooms/kitchen/members/{user.id}"

    def test_the_member_comes_back_as_in_the_list(self, alice, bob, room, client_of):
        client = client_of(alice)
        answer = client.patch(self.url(bob), {"muted_until": "2999-01-01T01:00:00+01:00"})
        assert answer.status_code == 200
        assert answer.json() == client.get("/api/v1/rooms/kitchen/members").json()["results"][1]
        assert (answer.json()["role"], answer.json()["muted_until"]) == ("member", "2999-01-01T00:00:00.000Z")
        assert client_of(bob).get("/api/v1/rooms/kitchen").json()["my"] == {
            "role": "member",
            "last_read_seq": 0,
            "unread_count": 0,
            "silenced_until": "2999-01-01T00:00:00.000Z",
            "muted_until": None,
            "pinned": False,
        }

    @pytest.mark.parametrize(
        ("body", "code", "attr"),
        [
            ({"role": "king"}, "validation_error", "role"),
            ({"role": None}, "validation_error", "role"),
            ({"muted_until": "2001-01-01T00:00:00Z"}, "validation_error", "muted_until"),
            ({"muted_until": "tomorrow"}, "validation_error", "muted_until"),
            ({"muted_until": 5}, "validation_error", "muted_until"),
            ({"muted_until": "9999-12-31T23:59:59-23:59"}, "validation_error", "muted_until"),
            ({"pinned": True}, "unknown_field", "pinned"),
        ],
    )
    def test_an_invalid_body_is_400(self, alice, bob, room, client_of, body, code, attr):
        answer = client_of(alice).patch(self.url(bob), body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]

    def test_refusals_tell_which(self, alice, bob, charlie, room, client_of):
        answers = [
            client_of(charlie).patch(self.url(bob), {"role": "admin"}),
            client_of(alice).patch(self.url(charlie), {"role": "admin"}),
            client_of(bob).patch(self.url(alice), {"role": "member"}),
            client_of(alice).patch(self.url(alice), {"role": "member"}),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (404, "not_found"),
            (404, "not_found"),
            (403, "forbidden"),
            (409, "last_owner"),
        ]

    def test_anonymous_gets_401(self, bob, room, anonymous):
        assert anonymous.patch(self.url(bob), {"role": "admin"}).status_code == 401

    def test_it_takes_a_fixed_number_of_queries(
        self, alice, bob, erin, room, client_of, django_assert_num_queries
    ):
        client = client_of(alice)
        client.patch(self.url(bob), {"role": "admin"})
        # The session; my membership before and under the stream's lock, and theirs; the change; the event and
        # the stream's head.
        with django_assert_num_queries(8):
            client.patch(self.url(erin), {"role": "admin"})


class TestFrame:
    async def test_every_member_hears_of_it(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.group(bob)
        async with alice.socket() as hers, bob.socket() as his:
            await hers.until("ready")
            await his.until("ready")
            alice.call("PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": "admin"})
            frames = [await socket.until("member.updated") for socket in (hers, his)]
        assert frames[0] == frames[1]
        assert (frames[0]["data"]["user"]["id"], frames[0]["data"]["role"]) == (bob.id, "admin")
