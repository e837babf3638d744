import pytest

from accounts.models import User
from rooms import services
from rooms.models import Ban, Invite, Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("root", "root@example.com", "root-demo-2026"))
    return client


@pytest.fixture
def ban(alice, charlie, room):
    return services.ban_user(alice, room_key="kitchen", user_id=charlie.id, reason="Spam")


@pytest.fixture
def invite(alice, room):
    return services.create_invite(alice, room_key="kitchen")


class TestAdmin:
    def test_everything_can_be_looked_up(self, staff, room, ban, invite):
        membership = Membership.objects.first()
        for path in (
            "/admin/rooms/room/?q=kitchen",
            f"/admin/rooms/room/{room.id}/change/",
            "/admin/rooms/membership/?q=kitchen",
            f"/admin/rooms/membership/{membership.id}/change/",
            "/admin/rooms/ban/?q=charlie",
            f"/admin/rooms/ban/{ban.id}/change/",
            "/admin/rooms/invite/?q=kitchen",
            f"/admin/rooms/invite/{invite.id}/change/",
        ):
            answer = staff.get(path)
            assert answer.status_code == 200
            assert b"Kitchen" in answer.content

    def test_nothing_is_changed_past_the_services(self, staff, room, ban, invite):
        for model, row in (("room", room), ("ban", ban), ("invite", invite)):
            assert staff.get(f"/admin/rooms/{model}/add/").status_code == 403
            answer = staff.post(f"/admin/rooms/{model}/{row.pk}/change/", {"name": "x", "reason": "x"})
            assert answer.status_code == 403
        for model, row in (("room", room), ("ban", ban)):
            answer = staff.post(f"/admin/rooms/{model}/{row.pk}/delete/", {"post": "yes"})
            assert answer.status_code == 403
        assert Ban.objects.get().reason == "Spam"

    def test_an_invite_can_be_taken_back(self, staff, invite):
        assert staff.post(f"/admin/rooms/invite/{invite.id}/delete/", {"post": "yes"}).status_code == 302
        assert not Invite.objects.exists()

    def test_no_page_shows_its_code(self, staff, room, invite):
        for path in (
            "/admin/rooms/invite/",
            f"/admin/rooms/invite/{invite.id}/change/",
            f"/admin/rooms/invite/{invite.id}/delete/",
            f"/admin/rooms/room/{room.id}/change/",
        ):
            assert invite.code.encode() not in staff.get(path).content

    @pytest.mark.parametrize("model", ["room", "membership", "ban", "invite"])
    def test_the_lists_take_as_many_queries_for_many_rows_as_for_one(
        self, staff, alice, room, ban, invite, model, django_assert_max_num_queries
    ):
        users = [User.objects.create_user(f"user{n}", f"user{n}@example.com") for n in range(20)]
        services.add_members(alice, room_key="kitchen", user_ids=[user.id for user in users])
        for user in users:
            services.create_room(user, name="Another")
            services.create_invite(alice, room_key="kitchen")
        for user in users[10:]:
            services.ban_user(alice, room_key="kitchen", user_id=user.id)
        with django_assert_max_num_queries(6):
            staff.get(f"/admin/rooms/{model}/")
