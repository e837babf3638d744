import pytest

from accounts.models import User
from accounts.services import update_me
from core.timestamps import rfc3339
from rooms import selectors, services
from rooms.models import Membership

pytestmark = pytest.mark.django_db


class TestSelector:
    def test_a_stranger_gets_none(self, charlie, room):
        assert list(selectors.members_of(charlie, room)) == []


class TestApi:
    def test_members_come_in_order_of_joining(self, alice, bob, charlie, room, client_of):
        services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        answer = client_of(bob).get(f"/api/v1/rooms/{room.id}/members")
        assert answer.status_code == 200
        assert [row["user"]["username"] for row in answer.json()["results"]] == ["alice", "bob", "charlie"]
        assert answer.json()["results"][0] == {
            "user": {
                "id": str(alice.id),
                "username": "alice",
                "display_name": "alice",
                "avatar_url": None,
                "is_bot": False,
            },
            "role": "owner",
            "muted_until": None,
            "joined_at": rfc3339(Membership.objects.get(user=alice).joined_at),
            "last_read_seq": 0,
            "last_delivered_seq": 0,
        }

    def test_how_far_one_has_read_shows_where_neither_keeps_it_to_themselves(
        self, alice, bob, charlie, room, client_of
    ):
        services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        Membership.objects.update(last_read_seq=3, last_delivered_seq=4)

        def shown_to(viewer):
            found = client_of(viewer).get("/api/v1/rooms/kitchen/members").json()["results"]
            assert {row["last_delivered_seq"] for row in found} == {4}
            return {row["user"]["username"]: row["last_read_seq"] for row in found}

        assert shown_to(alice) == {"alice": 3, "bob": 3, "charlie": 3}
        update_me(bob, settings={"read_receipts": False})
        assert shown_to(alice) == {"alice": 3, "bob": None, "charlie": 3}
        assert shown_to(bob) == {"alice": None, "bob": 3, "charlie": None}
        update_me(bob, settings={"read_receipts": True})
        assert shown_to(bob) == shown_to(alice) == {"alice": 3, "bob": 3, "charlie": 3}

    def test_nor_does_it_show_to_who_changes_a_member(self, alice, bob, room, client_of):
        Membership.objects.update(last_read_seq=3)
        update_me(bob, settings={"read_receipts": False})
        answer = client_of(alice).patch(f"/api/v1/rooms/kitchen/members/{bob.id}", {"role": "admin"})
        assert (answer.status_code, answer.json()["last_read_seq"]) == (200, None)

    def test_those_who_left_are_not_there(self, alice, bob, room, client_of):
        services.leave_room(bob, room_key="kitchen")
        found = client_of(alice).get("/api/v1/rooms/kitchen/members").json()["results"]
        assert [row["user"]["username"] for row in found] == ["alice"]

    def test_pages_hold_every_member_once(self, alice, client_of):
        users = [User.objects.create_user(f"user{n}", f"user{n}@example.com") for n in range(4)]
        services.create_room(alice, name="Hall", slug="hall", member_ids=[user.id for user in users])
        client = client_of(alice)
        first = client.get("/api/v1/rooms/hall/members", {"limit": 3}).json()
        rest = client.get("/api/v1/rooms/hall/members", {"limit": 3, "cursor": first["next_cursor"]}).json()
        names = [row["user"]["username"] for row in first["results"] + rest["results"]]
        assert names == ["alice", "user0", "user1", "user2", "user3"]
        assert rest["next_cursor"] is None

    @pytest.mark.parametrize("query", [{"limit": "0"}, {"cursor": "forged"}])
    def test_an_odd_parameter_is_400(self, alice, room, client_of, query):
        answer = client_of(alice).get("/api/v1/rooms/kitchen/members", query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_a_cursor_of_another_list_is_400(self, alice, room, client_of):
        services.create_room(alice, name="Another")
        client = client_of(alice)
        cursor = client.get("/api/v1/rooms", {"limit": 1}).json()["next_cursor"]
        assert client.get("/api/v1/rooms/kitchen/members", {"cursor": cursor}).status_code == 400

    def test_a_stranger_gets_404(self, charlie, room, client_of):
        assert client_of(charlie).get("/api/v1/rooms/kitchen/members").status_code == 404

    def test_anonymous_gets_401(self, room, anonymous):
        assert anonymous.get("/api/v1/rooms/kitchen/members").status_code == 401
