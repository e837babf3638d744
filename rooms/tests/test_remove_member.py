from uuid import uuid4

import pytest
from django.db import transaction

from accounts.models import User
from core.errors import Forbidden, NotFound, ValidationFailed
from eventlog.models import Event
from rooms import services
from rooms.models import Membership, Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def dave_and_erin(alice, room):
    """An admin and a member more."""
    users = [User.objects.create_user(name, f"{name}@example.com") for name in ("dave", "erin")]
    services.add_members(alice, room_key="kitchen", user_ids=[user.id for user in users])
    Membership.objects.filter(user=users[0]).update(role="admin")
    return users


class TestService:
    def test_it_is_the_last_event_of_the_room_for_that_user(self, alice, bob, charlie, room, events_of):
        services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        services.remove_member(alice, room_key="kitchen", user_id=bob.id)
        frame = events_of(room.stream)[-1]
        assert (frame["type"], frame["pos"]) == ("member.removed", 2)
        assert frame["data"] == {
            "room_id": str(room.id),
            "user": {
                "id": str(bob.id),
                "username": "bob",
                "display_name": "bob",
                "avatar_url": None,
                "is_bot": False,
            },
            "reason": "removed",
            "by": str(alice.id),
        }
        event = Event.objects.get(stream__name=room.stream, pos=2)
        assert (event.ends_for, event.opens) == (str(bob.id), "")
        assert (event.actor_id, event.object_id) == (alice.id, bob.id)
        assert Membership.objects.get(user=bob).left_pos == 2

    def test_the_removed_one_is_told_on_their_own_stream(self, alice, bob, room, events_of):
        services.remove_member(alice, room_key="kitchen", user_id=bob.id)
        frame = events_of(f"user:{bob.id}")[-1]
        assert (frame["type"], frame["pos"]) == ("room.left", 2)
        assert frame["data"] == {"room_id": str(room.id), "reason": "removed"}
        assert [frame["type"] for frame in events_of(f"user:{alice.id}")] == ["room.joined"]

    def test_the_room_is_counted(self, alice, bob, room):
        before = room.updated_at
        services.remove_member(alice, room_key="kitchen", user_id=bob.id)
        room.refresh_from_db()
        assert room.member_count == 1
        assert room.updated_at > before

    def test_an_owner_may_remove_anyone_else(self, alice, bob, room, dave_and_erin):
        Membership.objects.filter(user=bob).update(role="owner")
        for user in (bob, *dave_and_erin):
            services.remove_member(alice, room_key="kitchen", user_id=user.id)
        assert Room.objects.get().member_count == 1

    def test_an_admin_may_remove_members_only(self, alice, bob, room, dave_and_erin):
        dave, erin = dave_and_erin
        services.remove_member(dave, room_key="kitchen", user_id=erin.id)
        Membership.objects.filter(user=bob).update(role="admin")
        for user in (alice, bob):
            with pytest.raises(Forbidden):
                services.remove_member(dave, room_key="kitchen", user_id=user.id)

    def test_a_member_may_remove_nobody(self, alice, bob, room, dave_and_erin):
        for user_id in (alice.id, dave_and_erin[1].id, uuid4()):
            with pytest.raises(Forbidden):
                services.remove_member(bob, room_key="kitchen", user_id=user_id)

    def test_oneself_is_refused(self, alice, room):
        with pytest.raises(ValidationFailed) as caught:
            services.remove_member(alice, room_key="kitchen", user_id=alice.id)
        assert [error.code for error in caught.value.errors] == ["self"]

    def test_one_who_is_no_member_is_not_found(self, alice, bob, charlie, room):
        services.leave_room(bob, room_key="kitchen")
        for user_id in (bob.id, charlie.id, uuid4()):
            with pytest.raises(NotFound):
                services.remove_member(alice, room_key="kitchen", user_id=user_id)

    def test_nobody_is_removed_from_a_direct_room(self, alice, bob, charlie):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        for actor, error in ((alice, Forbidden), (bob, Forbidden), (charlie, NotFound)):
            with pytest.raises(error):
                services.remove_member(actor, room_key=str(room.id), user_id=bob.id)

    def test_a_stranger_finds_no_room(self, bob, charlie, room):
        with pytest.raises(NotFound):
            services.remove_member(charlie, room_key="kitchen", user_id=bob.id)

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, alice, bob, room, committed, membership_of):
        with transaction.atomic():
            services.remove_member(alice, room_key="kitchen", user_id=bob.id)
            assert committed == []
            transaction.set_rollback(True)
        assert committed == []
        assert membership_of(bob, room).is_active
        services.remove_member(alice, room_key="kitchen", user_id=bob.id)
        assert [(event.stream, event.type, event.ends_for) for event in committed] == [
            (room.stream, "member.removed", str(bob.id)),
            (f"user:{bob.id}", "room.left", ""),
        ]

    @pytest.mark.django_db(transaction=True)
    def test_of_two_who_remove_the_same_one_at_once_one_does_it(self, alice, bob, room, dave_and_erin, race):
        dave, _ = dave_and_erin
        outcomes = race(
            *(
                lambda actor=actor: services.remove_member(actor, room_key="kitchen", user_id=bob.id)
                for actor in (alice, dave)
            )
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "NotFound"]
        assert Room.objects.get().member_count == 3
        assert Event.objects.filter(type="member.removed").count() == 1


class TestApi:
    def test_a_member_is_removed(self, alice, bob, room, client_of):
        answer = client_of(alice).delete(f"/api/v1/rooms/kitchen/members/{bob.id}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert client_of(bob).get("/api/v1/rooms/kitchen").status_code == 404

    def test_the_second_time_is_404(self, alice, bob, room, client_of):
        client = client_of(alice)
        client.delete(f"/api/v1/rooms/kitchen/members/{bob.id}")
        assert client.delete(f"/api/v1/rooms/kitchen/members/{bob.id}").status_code == 404

    def test_oneself_is_400(self, alice, room, client_of):
        answer = client_of(alice).delete(f"/api/v1/rooms/kitchen/members/{alice.id}")
        assert answer.status_code == 400
        assert [error["code"] for error in answer.json()["errors"]] == ["self"]

    def test_a_member_gets_403(self, alice, bob, room, client_of):
        answer = client_of(bob).delete(f"/api/v1/rooms/kitchen/members/{alice.id}")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_a_stranger_gets_404(self, bob, charlie, room, client_of):
        answer = client_of(charlie).delete(f"/api/v1/rooms/kitchen/members/{bob.id}")
        assert answer.status_code == 404

    def test_what_is_no_user_id_is_404(self, alice, room, client_of):
        assert client_of(alice).delete("/api/v1/rooms/kitchen/members/bob").status_code == 404

    def test_anonymous_gets_401(self, bob, room, anonymous):
        assert anonymous.delete(f"/api/v1/rooms/kitchen/members/{bob.id}").status_code == 401
