import pytest

from accounts.models import User
from rooms.models import Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("root", "root@example.com", "root-demo-2026"))
    return client


class TestAdmin:
    def test_rooms_and_memberships_can_be_looked_up(self, staff, room):
        membership = Membership.objects.first()
        for path in (
            "/admin/rooms/room/?q=kitchen",
            f"/admin/rooms/room/{room.id}/change/",
            "/admin/rooms/membership/?q=kitchen",
            f"/admin/rooms/membership/{membership.id}/change/",
        ):
            answer = staff.get(path)
            assert answer.status_code == 200
            assert b"Kitchen" in answer.content

    def test_nothing_is_changed_past_the_services(self, staff, room):
        assert staff.get("/admin/rooms/room/add/").status_code == 403
        assert staff.post(f"/admin/rooms/room/{room.id}/change/", {"name": "x"}).status_code == 403
        assert staff.post(f"/admin/rooms/room/{room.id}/delete/", {"post": "yes"}).status_code == 403
