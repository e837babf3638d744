from datetime import timedelta

import pytest
from django.utils import timezone

from core.errors import Forbidden, NotFound
from eventlog.models import Event
from rooms import services
from rooms.models import Invite

pytestmark = pytest.mark.django_db

URL = "/api/v1/rooms/kitchen/invites"


class TestService:
    def test_without_limits_it_has_no_end(self, alice, room):
        invite = services.create_invite(alice, room_key="kitchen")
        assert (invite.room, invite.created_by, invite.uses) == (room, alice, 0)
        assert (invite.max_uses, invite.expires_at) == (None, None)

    def test_seconds_are_counted_from_now(self, alice, room):
        before = timezone.now()
        invite = services.create_invite(alice, room_key="kitchen", expires_in=60, max_uses=3)
        assert before <= invite.expires_at - timedelta(seconds=60) <= timezone.now()
        assert invite.max_uses == 3

    def test_codes_are_long_and_none_is_like_another(self, alice, room):
        codes = {services.create_invite(alice, room_key="kitchen").code for _ in range(20)}
        assert len(codes) == 20
        assert {len(code) for code in codes} == {22}

    def test_nobody_is_told(self, alice, room):
        before = Event.objects.count()
        services.create_invite(alice, room_key="kitchen")
        assert Event.objects.count() == before

    def test_admins_may_and_others_may_not(self, alice, bob, charlie, dave, room):
        assert services.create_invite(dave, room_key="kitchen").created_by == dave
        direct, _ = services.open_direct_room(alice, user_id=bob.id)
        for actor, key, error in (
            (bob, "kitchen", Forbidden),
            (alice, str(direct.id), Forbidden),
            (charlie, "kitchen", NotFound),
        ):
            with pytest.raises(error):
                services.create_invite(actor, room_key=key)


class TestApi:
    def test_the_invite_comes_back(self, alice, room, client_of):
        answer = client_of(alice).post(URL, {"max_uses": 5})
        assert answer.status_code == 201
        invite = Invite.objects.get()
        body = answer.json()
        assert body.pop("created_at").endswith("Z")
        assert body == {
            "code": invite.code,
            "room_id": str(room.id),
            "max_uses": 5,
            "uses": 0,
            "expires_at": None,
            "by": str(alice.id),
        }

    def test_a_body_may_be_left_out(self, alice, room, client_of):
        assert client_of(alice).post(URL).status_code == 201

    @pytest.mark.parametrize(
        ("body", "code", "attr"),
        [
            ({"expires_in": 0}, "validation_error", "expires_in"),
            ({"expires_in": -5}, "validation_error", "expires_in"),
            ({"expires_in": 365 * 86_400 + 1}, "validation_error", "expires_in"),
            ({"expires_in": "60"}, "validation_error", "expires_in"),
            ({"expires_in": 1.5}, "validation_error", "expires_in"),
            ({"max_uses": 0}, "validation_error", "max_uses"),
            ({"max_uses": 10_001}, "validation_error", "max_uses"),
            ({"max_uses": 10**18}, "validation_error", "max_uses"),
            ({"max_uses": True}, "validation_error", "max_uses"),
            ({"code": "mine"}, "unknown_field", "code"),
        ],
    )
    def test_an_invalid_body_is_400(self, alice, room, client_of, body, code, attr):
        answer = client_of(alice).post(URL, body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]
        assert not Invite.objects.exists()

    def test_refusals_tell_which(self, bob, charlie, room, client_of):
        answers = [client_of(user).post(URL) for user in (bob, charlie)]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (403, "forbidden"),
            (404, "not_found"),
        ]

    def test_anonymous_gets_401(self, room, anonymous):
        assert anonymous.post(URL).status_code == 401
