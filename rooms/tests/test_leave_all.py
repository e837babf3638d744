"""What becomes of rooms when one who is in them is erased."""

from functools import partial

import pytest

from accounts.models import User
from accounts.services import deactivate_users, erase_users
from core.errors import NotFound, SessionRevoked
from rooms import services
from rooms.models import Ban, Membership, Room
from tests.cards import erased, in_the_log

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_erasures_end")]


def types(frames):
    return [frame["type"] for frame in frames]


class TestService:
    def test_a_member_leaves(self, bob, room, erase, events_of, membership_of):
        left = erase(bob)
        last = events_of(room.stream)[-1]
        assert (last["type"], last["data"]["reason"]) == ("member.removed", "left")
        assert last["data"]["user"]["username"] == left.username
        assert membership_of(bob, room).left_pos == last["pos"]
        room.refresh_from_db()
        assert room.member_count == 1

    def test_the_last_owner_hands_over_to_the_oldest_admin(
        self, alice, bob, dave, erin, room, erase, events_of, membership_of
    ):
        services.update_member(alice, room_key="kitchen", user_id=erin.id, role="admin")
        before = len(events_of(room.stream))
        erase(alice)
        assert membership_of(dave, room).role == "owner"
        heir, gone = events_of(room.stream)[before:]
        assert (heir["type"], heir["data"]["user"]["id"]) == ("member.updated", str(dave.id))
        assert heir["data"]["role"] == "owner"
        assert gone["type"] == "member.removed"

    def test_without_an_admin_to_the_oldest_member_who_may_log_in(
        self, alice, bob, erin, room, erase, membership_of
    ):
        deactivate_users([bob])
        erase(alice)
        assert membership_of(erin, room).role == "owner"

    def test_one_of_two_owners_just_leaves(self, alice, bob, room, erase, events_of):
        services.update_member(alice, room_key="kitchen", user_id=bob.id, role="owner")
        erase(alice)
        assert types(events_of(room.stream)) == ["member.updated", "member.removed"]

    def test_a_room_without_others_is_deleted(self, alice, erase, events_of):
        room = services.create_room(alice, name="Mine")
        erase(alice)
        room.refresh_from_db()
        assert (room.state, room.member_count) == (Room.State.DELETED, 0)
        assert types(events_of(room.stream)) == ["room.deleted"]

    def test_a_direct_room_stays_for_the_other_one(self, alice, bob, erase, client_of, events_of):
        direct, _ = services.open_direct_room(alice, user_id=bob.id)
        left = erase(alice)
        (told,) = events_of(direct.stream)
        assert (told["type"], told["data"]["user"]["username"]) == ("member.updated", left.username)
        seen = client_of(bob).get(f"/api/v1/rooms/{direct.id}").json()
        assert seen["peer"]["display_name"] == "Deleted user"
        assert seen["peer"]["id"] == str(alice.id)
        assert in_the_log(alice) == {left.username}

    def test_a_repeat_tells_nothing_twice(self, alice, bob, room, erase, events_of):
        direct, _ = services.open_direct_room(alice, user_id=bob.id)
        left = erase(alice)
        before = events_of(room.stream), events_of(direct.stream)
        services.leave_all(left)
        assert (events_of(room.stream), events_of(direct.stream)) == before

    def test_rooms_that_were_left_before_name_nobody_either(self, alice, bob, room, erase):
        services.leave_room(bob, room_key="kitchen")
        left = erase(bob)
        assert in_the_log(bob) == {left.username}

    def test_bans_go(self, alice, bob, room, erase):
        services.ban_user(alice, room_key="kitchen", user_id=bob.id, reason="rude")
        erase(bob)
        assert not Ban.objects.exists()

    def test_nobody_adds_one_who_is_erased_nor_do_they_come(self, alice, bob, charlie, room, erase):
        services.update_room(alice, room_key="kitchen", visibility="public")
        invite = services.create_invite(alice, room_key="kitchen")
        erase(charlie)
        added = services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        assert [failed.code for failed in added.failed] == ["not_found"]
        for late in (
            partial(services.join_room, charlie, room_key="kitchen"),
            partial(services.accept_invite, charlie, code=invite.code),
            partial(services.create_room, charlie, name="Mine"),
            partial(services.open_direct_room, charlie, user_id=alice.id),
        ):
            with pytest.raises(SessionRevoked):
                late()
        with pytest.raises(NotFound):
            services.open_direct_room(alice, user_id=charlie.id)

    def test_whatever_happens_at_the_same_moment_they_are_in_no_group_and_no_name_is_left(
        self, alice, bob, room, race
    ):
        services.update_room(alice, room_key="kitchen", visibility="public")
        for _ in range(6):
            dora = User.objects.create_user("dora", "dora@example.com")
            garage = services.create_room(dora, name="Garage", member_ids=[bob.id])
            race(
                partial(erase_users, [dora], erases_messages=False),
                partial(services.add_members, alice, room_key="kitchen", user_ids=[dora.id]),
                partial(services.join_room, dora, room_key="kitchen"),
                partial(services.create_room, bob, name="Den", member_ids=[dora.id]),
                partial(services.open_direct_room, dora, user_id=bob.id),
                partial(services.transfer_room, dora, room_key=str(garage.id), user_id=bob.id),
            )
            left = erased(dora)
            mine = Membership.active.filter(user=dora)
            assert {row.room.type for row in mine.select_related("room")} <= {"direct"}
            assert in_the_log(dora) == {left.username}
            assert Membership.active.get(room=garage).role == "owner"
