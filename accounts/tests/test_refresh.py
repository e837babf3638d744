"""POST /auth/refresh."""

import time
from datetime import timedelta
from functools import partial
from uuid import UUID

import jwt
import pytest
from django.utils import timezone

from accounts import services, tokens
from accounts.models import Session, User
from core.errors import SessionRevoked

URL = "/api/v1/auth/refresh"


@pytest.fixture
def session(alice, session_of) -> Session:
    return session_of(alice)


@pytest.fixture
def refresh_token(session) -> str:
    return tokens.issue(session).refresh


def code_of(response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


class TestService:
    @pytest.mark.django_db(transaction=True)
    def test_of_parallel_ones_exactly_one_wins(self, race, refresh_token):
        outcomes = race(*[partial(services.refresh, refresh_token)] * 6)
        assert len([outcome for outcome in outcomes if isinstance(outcome, Session)]) == 1
        assert len([outcome for outcome in outcomes if isinstance(outcome, SessionRevoked)]) == 5

    @pytest.mark.django_db(transaction=True)
    def test_reuse_closes_the_sockets_of_that_session_after_the_commit(self, session, refresh_token, closed):
        services.refresh(refresh_token)
        assert closed == []
        with pytest.raises(SessionRevoked):
            services.refresh(refresh_token)
        assert closed == [(session.user_id, [session.id], "session_ended")]

    def test_a_refresh_writes_no_event(self, alice, refresh_token, events_of):
        services.refresh(refresh_token)
        assert events_of(f"user:{alice.id}") == []


class TestApi:
    def test_new_tokens_for_the_same_session(self, session, refresh_token, anonymous):
        response = anonymous.post(URL, {"refresh": refresh_token})
        assert response.status_code == 200
        body = response.json()
        assert set(body) == {"access", "refresh", "expires_in"}
        claims = jwt.decode(body["refresh"], options={"verify_signature": False})
        session.refresh_from_db()
        assert UUID(claims["sid"]) == session.id
        assert UUID(claims["jti"]) == session.refresh_id
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access']}")
        assert anonymous.get("/api/v1/users/me").status_code == 200
        assert anonymous.post(URL, {"refresh": body["refresh"]}).status_code == 200

    def test_the_session_is_used_now_and_lasts_longer(self, session, refresh_token, anonymous):
        Session.objects.update(last_used_at=timezone.now() - timedelta(days=3))
        before = timezone.now()
        anonymous.post(URL, {"refresh": refresh_token})
        session.refresh_from_db()
        assert session.last_used_at >= before
        assert session.expires_at >= before + timedelta(days=30)

    def test_a_spent_token_ends_its_session(self, session, refresh_token, anonymous):
        first = anonymous.post(URL, {"refresh": refresh_token}).json()
        assert code_of(anonymous.post(URL, {"refresh": refresh_token})) == (401, "session_revoked")
        session.refresh_from_db()
        assert session.revoked_at is not None
        assert code_of(anonymous.post(URL, {"refresh": first["refresh"]})) == (401, "session_revoked")
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {first['access']}")
        assert code_of(anonymous.get("/api/v1/users/me")) == (401, "session_revoked")

    def test_a_spent_token_leaves_other_sessions_alone(self, alice, session_of, refresh_token, anonymous):
        other = tokens.issue(session_of(alice))
        for _ in range(2):
            anonymous.post(URL, {"refresh": refresh_token})
        assert anonymous.post(URL, {"refresh": other.refresh}).status_code == 200

    def test_an_ended_session_stays_ended(self, session, refresh_token, anonymous):
        Session.objects.update(revoked_at=timezone.now())
        assert code_of(anonymous.post(URL, {"refresh": refresh_token})) == (401, "session_revoked")

    def test_a_session_that_is_gone_has_ended(self, session, refresh_token, anonymous):
        session.delete()
        assert code_of(anonymous.post(URL, {"refresh": refresh_token})) == (401, "session_revoked")

    def test_a_suspended_user_is_refused_and_the_token_is_not_spent(self, refresh_token, anonymous):
        User.objects.update(is_active=False)
        assert code_of(anonymous.post(URL, {"refresh": refresh_token})) == (403, "account_suspended")
        User.objects.update(is_active=True)
        assert anonymous.post(URL, {"refresh": refresh_token}).status_code == 200

    def test_an_expired_token(self, session, forge, anonymous):
        token = forge(session, token_type="refresh", jti=str(session.refresh_id), exp=int(time.time()) - 1)
        assert code_of(anonymous.post(URL, {"refresh": token})) == (401, "token_expired")
        session.refresh_from_db()
        assert session.revoked_at is None

    def test_an_access_token_is_not_a_refresh_token(self, session, anonymous):
        assert code_of(anonymous.post(URL, {"refresh": tokens.issue(session).access})) == (
            401,
            "token_invalid",
        )

    @pytest.mark.parametrize("token", ["x", "a.b.c", "x" * 100_000, "é.ü.😀"])
    def test_what_is_no_token(self, db, anonymous, token):
        assert code_of(anonymous.post(URL, {"refresh": token})) == (401, "token_invalid")

    @pytest.mark.parametrize(
        "body", [{}, {"refresh": ""}, {"refresh": None}, {"refresh": 1}, {"refresh": ["x"]}]
    )
    def test_what_is_no_body(self, db, anonymous, body):
        assert code_of(anonymous.post(URL, body)) == (400, "validation_error")

    def test_an_unknown_key_is_refused(self, refresh_token, anonymous):
        response = anonymous.post(URL, {"refresh": refresh_token, "sid": "x"})
        assert code_of(response) == (400, "unknown_field")
        assert anonymous.post(URL, {"refresh": refresh_token}).status_code == 200
