"""GET /invites/{code}: what one who has the code sees before they come in."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rooms import services
from rooms.models import Invite, Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def invite(alice, room):
    services.update_room(alice, room_key="kitchen", topic="Who cooks?")
    return services.create_invite(alice, room_key="kitchen", expires_in=60)


def url(code):
    return f"/api/v1/invites/{code}"


class TestApi:
    def test_a_stranger_sees_the_room_from_outside(self, charlie, invite, client_of):
        answer = client_of(charlie).get(url(invite.code))
        assert answer.status_code == 200
        body = answer.json()
        assert body.pop("expires_at").endswith("Z")
        assert body == {"name": "Kitchen", "topic": "Who cooks?", "avatar_url": None, "member_count": 2}

    def test_it_is_not_used_by_looking(self, bob, charlie, invite, client_of):
        for user in (bob, charlie):
            assert client_of(user).get(url(invite.code)).status_code == 200
        invite.refresh_from_db()
        assert invite.uses == 0

    @pytest.mark.parametrize(
        "close",
        [
            lambda: Invite.objects.update(max_uses=1, uses=1),
            lambda: Invite.objects.update(expires_at=timezone.now() - timedelta(seconds=1)),
            lambda: Invite.objects.all().delete(),
            lambda: Room.objects.update(state="archived"),
            lambda: Room.objects.update(state="deleted"),
        ],
        ids=["used up", "over", "revoked", "archived", "deleted"],
    )
    def test_one_that_lets_nobody_in_looks_like_none(self, charlie, invite, client_of, close):
        client = client_of(charlie)
        close()
        answer = client.get(url(invite.code))
        unknown = client.get(url("no-such-code"))
        assert (answer.status_code, unknown.status_code) == (404, 404)
        assert answer.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}

    def test_who_is_banned_sees_none(self, alice, charlie, invite, client_of):
        services.ban_user(alice, room_key="kitchen", user_id=charlie.id)
        assert client_of(charlie).get(url(invite.code)).status_code == 404

    def test_a_code_is_this_one_exactly(self, charlie, invite, client_of):
        client = client_of(charlie)
        for code in (invite.code.swapcase(), invite.code[:-1], f"{invite.code}x", "%", "x" * 5000, "é"):
            assert client.get(url(code)).status_code == 404

    def test_anonymous_gets_401(self, invite, anonymous):
        assert anonymous.get(url(invite.code)).status_code == 401

    def test_three_queries_do_it(self, charlie, invite, client_of, django_assert_num_queries):
        client = client_of(charlie)
        with django_assert_num_queries(3):  # the session, the invite with its room, the bans
            client.get(url(invite.code))
