from uuid import uuid4

import pytest
from django.db import transaction

from core.errors import Forbidden, NotFound, ValidationFailed
from rooms import services
from rooms.models import Membership

pytestmark = pytest.mark.django_db

URL = "/api/v1/rooms/kitchen/transfer"


def transfer(actor, user_id):
    return services.transfer_room(actor, room_key="kitchen", user_id=user_id)


def roles():
    return dict(Membership.objects.values_list("user__username", "role"))


class TestService:
    def test_the_old_owner_stays_as_an_admin(self, alice, bob, room):
        transfer(alice, bob.id)
        assert roles() == {"alice": "admin", "bob": "owner"}

    def test_the_events_are_exact(self, alice, bob, room, events_of):
        transfer(alice, bob.id)
        frames = events_of(room.stream)
        assert [(frame["type"], frame["pos"]) for frame in frames] == [
            ("member.updated", 1),
            ("member.updated", 2),
        ]
        told = [(frame["data"]["user"]["username"], frame["data"]["role"]) for frame in frames]
        assert told == [("bob", "owner"), ("alice", "admin")]
        assert {frame["data"]["by"] for frame in frames} == {str(alice.id)}

    def test_who_owns_it_besides_stays_owner(self, alice, bob, erin, room):
        Membership.objects.filter(user=erin).update(role="owner")
        transfer(alice, bob.id)
        assert roles() == {"alice": "admin", "bob": "owner", "erin": "owner"}

    def test_who_is_no_owner_may_not(self, alice, bob, dave, erin, room):
        for actor in (bob, dave):
            for user_id in (erin.id, uuid4()):
                with pytest.raises(Forbidden):
                    transfer(actor, user_id)

    def test_oneself_is_refused(self, alice, room):
        with pytest.raises(ValidationFailed) as caught:
            transfer(alice, alice.id)
        assert [(error.attr, error.code) for error in caught.value.errors] == [("user_id", "self")]

    def test_one_who_is_no_member_is_not_found(self, alice, bob, charlie, room, events_of):
        services.leave_room(bob, room_key="kitchen")
        for user_id in (bob.id, charlie.id, uuid4()):
            with pytest.raises(NotFound):
                transfer(alice, user_id)
        assert roles()["alice"] == "owner"

    def test_a_direct_room_has_no_owner(self, alice, bob, charlie):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        for actor, error in ((alice, Forbidden), (charlie, NotFound)):
            with pytest.raises(error):
                services.transfer_room(actor, room_key=str(room.id), user_id=bob.id)

    def test_a_stranger_finds_no_room(self, bob, charlie, room):
        with pytest.raises(NotFound):
            transfer(charlie, bob.id)

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, alice, bob, room, announced):
        with transaction.atomic():
            transfer(alice, bob.id)
            assert announced() == []
            transaction.set_rollback(True)
        assert announced() == []
        assert roles() == {"alice": "owner", "bob": "member"}
        transfer(alice, bob.id)
        assert announced() == [(room.stream, "member.updated")] * 2

    @pytest.mark.django_db(transaction=True)
    def test_of_two_transfers_at_once_one_is_done(self, alice, bob, erin, room, race):
        for _ in range(10):
            Membership.objects.update(role="member")
            Membership.objects.filter(user=alice).update(role="owner")
            outcomes = race(*(lambda user=user: transfer(alice, user.id) for user in (bob, erin)))
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Forbidden", "Room"]
            assert sorted(roles().values()) == ["admin", "member", "owner"]


class TestApi:
    def test_the_room_comes_back_as_i_see_it_now(self, alice, bob, room, client_of):
        answer = client_of(alice).post(URL, {"user_id": str(bob.id)})
        assert answer.status_code == 200
        assert answer.json()["my"]["role"] == "admin"
        assert client_of(bob).get("/api/v1/rooms/kitchen").json()["my"]["role"] == "owner"
        again = client_of(alice).post(URL, {"user_id": str(bob.id)})
        assert (again.status_code, again.json()["code"]) == (403, "forbidden")

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "validation_error"),
            ({"user_id": None}, "validation_error"),
            ({"user_id": "bob"}, "validation_error"),
            ({"user_id": str(uuid4()), "role": "admin"}, "unknown_field"),
        ],
    )
    def test_an_invalid_body_is_400(self, alice, room, client_of, body, code):
        answer = client_of(alice).post(URL, body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)

    def test_oneself_is_400_and_a_stranger_404(self, alice, charlie, room, client_of):
        answer = client_of(alice).post(URL, {"user_id": str(alice.id)})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "self")
        assert client_of(alice).post(URL, {"user_id": str(charlie.id)}).status_code == 404
        assert client_of(charlie).post(URL, {"user_id": str(alice.id)}).status_code == 404

    def test_anonymous_gets_401(self, bob, room, anonymous):
        assert anonymous.post(URL, {"user_id": str(bob.id)}).status_code == 401
