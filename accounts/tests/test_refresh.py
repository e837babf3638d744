"""POST /auth/refresh."""

import time
from datetime import timedelta
from functools import partial
from uuid import UUID

import jwt
import pytest
from django.db.models import F
from django.utils import timezone

from accounts import services, tokens
from accounts.models import Session, User
from core.errors import SessionRevoked

URL = "/api/v1/auth/refresh"
ROUNDS = 60


@pytest.fixture
def session(alice, session_of) -> Session:
    return session_of(alice)


@pytest.fixture
def refresh_token(session) -> str:
    return tokens.issue(session).refresh


@pytest.fixture
def pass_grace(settings):
    """Lets the grace of every token that was spent so far pass."""
    grace = timedelta(seconds=settings.REFRESH_GRACE_SECONDS)
    return lambda: Session.objects.update(spent_at=F("spent_at") - grace)


def code_of(response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


class TestService:
    @pytest.mark.django_db(transaction=True)
    def test_without_a_grace_exactly_one_of_parallel_ones_wins(self, race, refresh_token, settings):
        settings.REFRESH_GRACE_SECONDS = 0
        outcomes = race(*[partial(services.refresh, refresh_token)] * 6)
        assert len([outcome for outcome in outcomes if isinstance(outcome, Session)]) == 1
        assert len([outcome for outcome in outcomes if isinstance(outcome, SessionRevoked)]) == 5

    @pytest.mark.django_db(transaction=True)
    def test_reuse_closes_the_sockets_of_that_session_after_the_commit(
        self, session, refresh_token, closed, pass_grace
    ):
        services.refresh(refresh_token)
        assert closed == []
        pass_grace()
        with pytest.raises(SessionRevoked):
            services.refresh(refresh_token)
        assert closed == [(session.user_id, [session.id], "session_ended")]

    def test_a_refresh_writes_no_event(self, alice, refresh_token, events_of):
        services.refresh(refresh_token)
        assert events_of(f"user:{alice.id}") == []


class TestGrace:
    """The token that was just spent gives the same refresh token again, for a few seconds."""

    def refresh_id(self, refresh: str) -> UUID:
        return UUID(tokens.read_refresh(refresh)["jti"])

    def test_both_tabs_end_up_with_the_token_that_is_good_next(self, session, refresh_token, anonymous):
        first, second = (anonymous.post(URL, {"refresh": refresh_token}).json() for _ in range(2))
        session.refresh_from_db()
        assert self.refresh_id(first["refresh"]) == self.refresh_id(second["refresh"]) == session.refresh_id
        for tab in (first, second):
            anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {tab['access']}")
            assert anonymous.get("/api/v1/users/me").status_code == 200

    def test_whichever_tab_goes_on_first_the_session_lives(self, refresh_token, anonymous, pass_grace):
        first, second = (anonymous.post(URL, {"refresh": refresh_token}).json() for _ in range(2))
        pass_grace()
        for tab in (second, first):
            assert anonymous.post(URL, {"refresh": tab["refresh"]}).status_code == 200

    def test_it_ends(self, session, refresh_token, anonymous, settings):
        anonymous.post(URL, {"refresh": refresh_token})
        almost = timedelta(seconds=settings.REFRESH_GRACE_SECONDS) / 2
        Session.objects.update(spent_at=F("spent_at") - almost)
        assert anonymous.post(URL, {"refresh": refresh_token}).status_code == 200
        Session.objects.update(spent_at=F("spent_at") - almost)
        assert code_of(anonymous.post(URL, {"refresh": refresh_token})) == (401, "session_revoked")

    def test_it_does_not_begin_again_with_every_use(self, session, refresh_token, anonymous):
        anonymous.post(URL, {"refresh": refresh_token})
        session.refresh_from_db()
        anonymous.post(URL, {"refresh": refresh_token})
        assert Session.objects.get().spent_at == session.spent_at

    def test_a_token_that_was_spent_before_the_last_one_ends_the_session(self, refresh_token, anonymous):
        second = anonymous.post(URL, {"refresh": refresh_token}).json()["refresh"]
        third = anonymous.post(URL, {"refresh": second}).json()["refresh"]
        assert code_of(anonymous.post(URL, {"refresh": refresh_token})) == (401, "session_revoked")
        assert code_of(anonymous.post(URL, {"refresh": third})) == (401, "session_revoked")

    def test_a_token_that_the_session_never_gave_ends_it(self, session, forge, refresh_token, anonymous):
        anonymous.post(URL, {"refresh": refresh_token})
        assert code_of(anonymous.post(URL, {"refresh": forge(session, token_type="refresh")})) == (
            401,
            "session_revoked",
        )

    def test_a_logout_is_final(self, session, refresh_token, anonymous):
        services.refresh(refresh_token)
        services.logout(session.user, session_id=session.id)
        assert code_of(anonymous.post(URL, {"refresh": refresh_token})) == (401, "session_revoked")

    @pytest.mark.django_db(transaction=True)
    def test_parallel_tabs_stay_logged_in(self, session, race, closed):
        refresh = tokens.issue(session).refresh
        for _ in range(ROUNDS):
            tabs = race(*[partial(services.refresh, refresh)] * 3)
            (next_id,) = {tab.refresh_id for tab in tabs}
            assert next_id != self.refresh_id(refresh)
            refresh = tokens.issue(tabs[0]).refresh
        assert closed == []
        assert Session.objects.get().revoked_at is None

    @pytest.mark.django_db(transaction=True)
    def test_a_stolen_token_among_parallel_tabs_ends_the_session(self, alice, session_of, race):
        for _ in range(10):
            session = session_of(alice)
            stolen = tokens.issue(session).refresh
            refresh = tokens.issue(services.refresh(tokens.issue(services.refresh(stolen)).refresh)).refresh
            race(*[partial(services.refresh, refresh)] * 2, partial(services.refresh, stolen))
            session.refresh_from_db()
            assert session.revoked_at is not None


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

    def test_a_spent_token_ends_its_session(self, session, refresh_token, anonymous, pass_grace):
        first = anonymous.post(URL, {"refresh": refresh_token}).json()
        pass_grace()
        assert code_of(anonymous.post(URL, {"refresh": refresh_token})) == (401, "session_revoked")
        session.refresh_from_db()
        assert session.revoked_at is not None
        assert code_of(anonymous.post(URL, {"refresh": first["refresh"]})) == (401, "session_revoked")
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {first['access']}")
        assert code_of(anonymous.get("/api/v1/users/me")) == (401, "session_revoked")

    def test_a_spent_token_leaves_other_sessions_alone(
        self, alice, session_of, refresh_token, anonymous, pass_grace
    ):
        other = tokens.issue(session_of(alice))
        for _ in range(2):
            anonymous.post(URL, {"refresh": refresh_token})
            pass_grace()
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
