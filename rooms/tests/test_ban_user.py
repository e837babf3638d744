"""PUT /rooms/{id}/bans/{user_id}: who is put out and kept out, and how little they learn of it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from core.errors import Forbidden, NotFound, ValidationFailed
from eventlog.models import Event
from friendships.services import block_user
from rooms import services
from rooms.models import Ban, Membership, Room
from rooms.schemas import AddedMembers, FailedMember
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db

LATER = datetime(2999, 1, 1, tzinfo=UTC)


def ban(actor, user, **fields):
    return services.ban_user(actor, room_key="kitchen", user_id=user.id, **fields)


def run_out():
    Ban.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


class TestService:
    def test_a_member_is_removed_and_it_is_the_last_that_they_get(self, alice, bob, room, events_of):
        ban(alice, bob, reason="Spam")
        (frame,) = events_of(room.stream)
        assert (frame["type"], frame["data"]["reason"]) == ("member.removed", "banned")
        assert (frame["data"]["user"]["id"], frame["data"]["by"]) == (str(bob.id), str(alice.id))
        event = Event.objects.get(stream__name=room.stream)
        assert (event.ends_for, event.actor_id, event.object_id) == (str(bob.id), alice.id, bob.id)
        left = events_of(f"user:{bob.id}")[-1]
        assert (left["type"], left["data"]) == ("room.left", {"room_id": str(room.id), "reason": "banned"})
        assert "Spam" not in str([frame, left])
        assert Room.objects.get().member_count == 1

    def test_one_who_is_no_member_is_kept_out_without_an_event(self, alice, charlie, room):
        before = Event.objects.count()
        made = ban(alice, charlie, expires_at=LATER)
        assert (made.user, made.banned_by, made.reason, made.expires_at) == (charlie, alice, "", LATER)
        assert Event.objects.count() == before

    def test_who_is_banned_comes_in_by_no_way(self, alice, bob, charlie, room):
        services.update_room(alice, room_key="kitchen", visibility="public")
        invite = services.create_invite(alice, room_key="kitchen")
        ban(alice, bob)
        with pytest.raises(NotFound):
            services.join_room(bob, room_key="kitchen")
        with pytest.raises(NotFound):
            services.accept_invite(bob, code=invite.code)
        outcome = services.add_members(alice, room_key="kitchen", user_ids=[bob.id, charlie.id])
        assert outcome == AddedMembers(
            added=[charlie.id], already=[], failed=[FailedMember(bob.id, "forbidden")]
        )

    def test_once_it_has_run_out_every_way_is_open(self, alice, bob, room):
        services.update_room(alice, room_key="kitchen", visibility="public")
        invite = services.create_invite(alice, room_key="kitchen")
        for come in (
            lambda: services.join_room(bob, room_key="kitchen"),
            lambda: services.accept_invite(bob, code=invite.code),
            lambda: services.add_members(alice, room_key="kitchen", user_ids=[bob.id]),
        ):
            ban(alice, bob, expires_at=LATER)
            run_out()
            come()
            assert Membership.active.filter(user=bob).exists()

    def test_a_repeat_says_anew_why_and_until_when(self, alice, bob, dave, room, events_of):
        ban(alice, bob, reason="Spam")
        before = events_of(room.stream)
        again = ban(dave, bob, expires_at=LATER)
        assert (again.reason, again.expires_at, again.banned_by) == ("", LATER, dave)
        assert Ban.objects.count() == 1
        assert events_of(room.stream) == before

    def test_owners_ban_anyone_else_and_admins_who_is_just_a_member(self, alice, bob, dave, erin, room):
        ban(dave, bob)
        Membership.objects.filter(user=erin).update(role="admin")
        for user in (alice, erin):
            with pytest.raises(Forbidden):
                ban(dave, user)
        Membership.objects.filter(user=erin).update(role="owner")
        for user in (dave, erin):
            ban(alice, user)
        assert set(Ban.objects.values_list("user__username", flat=True)) == {"bob", "dave", "erin"}

    def test_a_member_bans_nobody_and_learns_nothing(self, alice, bob, charlie, erin, room):
        for user_id in (alice.id, charlie.id, erin.id, uuid4()):
            with pytest.raises(Forbidden):
                services.ban_user(bob, room_key="kitchen", user_id=user_id)

    def test_oneself_is_refused(self, alice, room):
        with pytest.raises(ValidationFailed) as caught:
            ban(alice, alice)
        assert [(error.attr, error.code) for error in caught.value.errors] == [("user_id", "self")]

    def test_whom_the_actor_can_not_see_is_not_found_unless_they_were_here(self, alice, bob, charlie, room):
        for user in (bob, charlie):
            block_user(user, user_id=alice.id)
        services.leave_room(bob, room_key="kitchen")
        ban(alice, bob)
        with pytest.raises(NotFound):
            ban(alice, charlie)
        with pytest.raises(NotFound):
            services.ban_user(alice, room_key="kitchen", user_id=uuid4())
        assert Ban.objects.get().user == bob

    def test_nobody_is_banned_from_a_direct_room(self, alice, bob, charlie):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        for actor, error in ((alice, Forbidden), (charlie, NotFound)):
            with pytest.raises(error):
                services.ban_user(actor, room_key=str(room.id), user_id=bob.id)

    def test_a_stranger_finds_no_room(self, bob, charlie, room):
        with pytest.raises(NotFound):
            ban(charlie, bob)

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, alice, bob, room, announced, membership_of):
        with transaction.atomic():
            ban(alice, bob)
            assert announced() == []
            transaction.set_rollback(True)
        assert announced() == []
        assert membership_of(bob, room).is_active
        assert not Ban.objects.exists()
        ban(alice, bob)
        assert announced() == [(room.stream, "member.removed"), (f"user:{bob.id}", "room.left")]

    @pytest.mark.django_db(transaction=True)
    def test_who_is_added_at_the_same_moment_is_not_in_it_afterwards(self, alice, charlie, dave, room, race):
        for _ in range(20):
            race(
                lambda: services.add_members(dave, room_key="kitchen", user_ids=[charlie.id]),
                lambda: ban(alice, charlie),
            )
            assert not Membership.active.filter(user=charlie).exists()
            assert Room.objects.get().member_count == 3
            services.unban_user(alice, room_key="kitchen", user_id=charlie.id)

    @pytest.mark.django_db(transaction=True)
    def test_two_who_ban_the_same_one_at_once_make_one_ban(self, alice, bob, dave, room, race):
        outcomes = race(*(lambda actor=actor: ban(actor, bob) for actor in (alice, dave)))
        assert [type(outcome) for outcome in outcomes] == [Ban, Ban]
        assert Ban.objects.count() == 1
        assert Event.objects.filter(type="member.removed").count() == 1


class TestApi:
    def url(self, user):
        return f"/api/v1/rooms/kitchen/bans/{user.id}"

    def test_the_ban_comes_back(self, alice, bob, room, client_of):
        answer = client_of(alice).put(
            self.url(bob), {"reason": "Spam\u202e", "expires_at": "2999-01-01T00:00:00Z"}
        )
        assert answer.status_code == 200
        body = answer.json()
        assert body.pop("created_at").endswith("Z")
        assert body == {
            "user": {
                "id": str(bob.id),
                "username": "bob",
                "display_name": "bob",
                "avatar_url": None,
                "is_bot": False,
            },
            "reason": "Spam\u202e",
            "expires_at": "2999-01-01T00:00:00.000Z",
            "by": str(alice.id),
        }

    def test_a_body_may_be_left_out(self, alice, bob, room, client_of):
        answer = client_of(alice).put(self.url(bob))
        assert (answer.status_code, answer.json()["reason"], answer.json()["expires_at"]) == (200, "", None)

    def test_the_banned_one_finds_no_room(self, alice, bob, room, client_of):
        client = client_of(bob)
        client_of(alice).put(self.url(bob), {"reason": "Spam"})
        for path in ("", "/members", "/messages", "/bans"):
            answer = client.get(f"/api/v1/rooms/kitchen{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        ("body", "code", "attr"),
        [
            ({"reason": "x" * 301}, "validation_error", "reason"),
            ({"reason": None}, "validation_error", "reason"),
            ({"reason": 5}, "validation_error", "reason"),
            ({"reason": "\0"}, "validation_error", "reason"),
            ({"expires_at": "2001-01-01T00:00:00Z"}, "validation_error", "expires_at"),
            ({"expires_at": "2999-01-01"}, "validation_error", "expires_at"),
            ({"user_id": "x"}, "unknown_field", "user_id"),
        ],
    )
    def test_an_invalid_body_is_400(self, alice, bob, room, client_of, body, code, attr):
        answer = client_of(alice).put(self.url(bob), body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]
        assert not Ban.objects.exists()

    def test_refusals_tell_which(self, alice, bob, charlie, room, client_of):
        answers = [
            client_of(alice).put(self.url(alice)),
            client_of(bob).put(self.url(alice)),
            client_of(charlie).put(self.url(alice)),
            client_of(alice).put("/api/v1/rooms/kitchen/bans/bob"),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (400, "validation_error"),
            (403, "forbidden"),
            (404, "not_found"),
            (404, "not_found"),
        ]

    def test_anonymous_gets_401(self, bob, room, anonymous):
        assert anonymous.put(self.url(bob)).status_code == 401


class TestFrame:
    async def test_who_is_banned_gets_nothing_more_of_the_room(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.group(bob)
        async with alice.socket() as hers, bob.socket() as his:
            await hers.until("ready")
            await his.until("ready")
            assert alice.call("PUT", f"/rooms/{room}/bans/{bob.id}").status_code == 200
            await hers.until("member.removed", reason="banned")
            await hers.ask("message", {"room_id": room, "content": "Gone"})
            await his.until("room.left", reason="banned")
            refused = await his.ask("message", {"room_id": room, "content": "Hi"})
            assert refused["data"]["code"] == "not_found"
            await his.send("resume", {"cursors": {f"room:{room}": 0}})
            assert (await his.until("resumed"))["data"]["denied"] == [f"room:{room}"]
        assert "message" not in [frame["type"] for frame in his.frames]
