import pytest
from django.db import transaction

from core.errors import Forbidden, LastOwner, NotFound
from eventlog.models import Event
from rooms import services
from rooms.models import Membership, Room

pytestmark = pytest.mark.django_db

ROUNDS = 50


class TestService:
    def test_leaving_is_the_last_event_of_the_room_for_me(self, bob, room, events_of, membership_of):
        services.leave_room(bob, room_key="kitchen")
        (frame,) = events_of(room.stream)
        assert (frame["type"], frame["pos"]) == ("member.removed", 1)
        assert frame["data"]["user"]["id"] == frame["data"]["by"] == str(bob.id)
        assert (frame["data"]["room_id"], frame["data"]["reason"]) == (str(room.id), "left")
        event = Event.objects.get(stream__name=room.stream, pos=1)
        assert (event.ends_for, event.actor_id, event.object_id) == (str(bob.id), bob.id, bob.id)
        assert membership_of(bob, room).left_pos == 1
        assert events_of(f"user:{bob.id}")[-1]["type"] == "room.left"
        assert events_of(f"user:{bob.id}")[-1]["data"] == {"room_id": str(room.id), "reason": "left"}

    def test_the_room_is_counted(self, bob, room):
        before = room.updated_at
        services.leave_room(bob, room_key="kitchen")
        room.refresh_from_db()
        assert room.member_count == 1
        assert room.updated_at > before

    def test_the_last_owner_stays_while_others_are_there(self, alice, bob, room):
        with pytest.raises(LastOwner):
            services.leave_room(alice, room_key="kitchen")
        Membership.objects.filter(user=bob).update(role="owner")
        services.leave_room(alice, room_key="kitchen")
        assert Room.objects.get().member_count == 1

    def test_the_last_member_of_all_may_leave(self, alice, bob, room):
        services.leave_room(bob, room_key="kitchen")
        services.leave_room(alice, room_key="kitchen")
        assert Room.objects.get().member_count == 0
        assert not Membership.active.exists()

    def test_a_direct_room_can_not_be_left(self, alice, bob):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        for user in (alice, bob):
            with pytest.raises(Forbidden):
                services.leave_room(user, room_key=str(room.id))

    def test_a_stranger_finds_no_room(self, charlie, room):
        with pytest.raises(NotFound):
            services.leave_room(charlie, room_key="kitchen")

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, bob, room, committed, membership_of):
        with transaction.atomic():
            services.leave_room(bob, room_key="kitchen")
            assert committed == []
            transaction.set_rollback(True)
        assert committed == []
        assert membership_of(bob, room).is_active
        services.leave_room(bob, room_key="kitchen")
        assert [event.type for event in committed] == ["member.removed", "room.left"]

    @pytest.mark.django_db(transaction=True)
    def test_two_owners_who_leave_at_once_do_not_leave_the_others_alone(
        self, alice, bob, charlie, room, race
    ):
        services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        for _ in range(ROUNDS):
            Membership.objects.filter(user__in=[alice, bob]).update(role="owner", left_pos=None)
            Room.objects.update(member_count=3)
            outcomes = race(
                *(lambda user=user: services.leave_room(user, room_key="kitchen") for user in (alice, bob))
            )
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastOwner", "NoneType"]


class TestApi:
    def test_one_leaves_and_the_room_is_gone_for_them(self, bob, room, client_of):
        client = client_of(bob)
        answer = client.post("/api/v1/rooms/kitchen/leave")
        assert (answer.status_code, answer.content) == (204, b"")
        assert client.get("/api/v1/rooms/kitchen").status_code == 404
        assert client.post("/api/v1/rooms/kitchen/leave").status_code == 404

    def test_the_last_owner_gets_409(self, alice, room, client_of):
        answer = client_of(alice).post("/api/v1/rooms/kitchen/leave")
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")

    def test_a_direct_room_is_403(self, alice, bob, client_of):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        answer = client_of(alice).post(f"/api/v1/rooms/{room.id}/leave")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_a_stranger_gets_404(self, charlie, room, client_of):
        assert client_of(charlie).post("/api/v1/rooms/kitchen/leave").status_code == 404

    def test_anonymous_gets_401(self, room, anonymous):
        assert anonymous.post("/api/v1/rooms/kitchen/leave").status_code == 401
