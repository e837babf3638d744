"""What every operation asks of its access token, shown on GET /users/me."""

import base64
import time

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import Session, User

URL = "/api/v1/users/me"


@pytest.fixture
def session(alice, session_of) -> Session:
    return session_of(alice)


@pytest.fixture
def answer(anonymous):
    """The answer to a token: (status, code)."""

    def ask(token: str, scheme: str = "Bearer ") -> tuple[int, str | None]:
        response = anonymous.get(URL, HTTP_AUTHORIZATION=f"{scheme}{token}")
        return response.status_code, response.json().get("code")

    return ask


def test_a_good_token(session, forge, answer):
    assert answer(tokens.issue(session).access) == (200, None)
    assert answer(forge(session)) == (200, None)
    assert answer(forge(session), scheme="bEaReR  ") == (200, None)


def test_none(alice, anonymous):
    response = anonymous.get(URL)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Basic ", "Token ", ""])
def test_another_scheme_is_no_token(session, forge, answer, scheme):
    assert answer(forge(session), scheme=scheme) == (401, "not_authenticated")


def test_alg_none(session, forge, answer):
    assert answer(forge(session, algorithm="none")) == (401, "token_invalid")


@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_another_algorithm_by_the_same_key(session, forge, answer):
    assert answer(forge(session, algorithm="HS384")) == (401, "token_invalid")


def test_another_key(session, forge, answer):
    assert answer(forge(session, key="another-key-that-is-long-enough-for-hs256")) == (401, "token_invalid")


def test_a_changed_payload(session, forge, answer):
    head, _, signature = forge(session).split(".")
    _, payload, _ = forge(session, sub="someone else").split(".")
    assert answer(f"{head}.{payload}.{signature}") == (401, "token_invalid")


def test_a_refresh_token(session, answer):
    assert answer(tokens.issue(session).refresh) == (401, "token_invalid")


def test_expired(session, forge, answer):
    assert answer(forge(session, exp=int(time.time()) - 1)) == (401, "token_expired")


def test_from_the_future(session, forge, answer):
    assert answer(forge(session, iat=int(time.time()) + 3600)) == (401, "token_invalid")


@pytest.mark.parametrize("claim", ["exp", "sid", "jti", "token_type"])
def test_a_claim_that_is_missing(session, forge, answer, claim):
    assert answer(forge(session, **{claim: None})) == (401, "token_invalid")


@pytest.mark.parametrize("sid", ["x", 5, "", ["a"], {"a": 1}])
def test_a_session_id_that_is_none(session, forge, answer, sid):
    assert answer(forge(session, sid=sid)) == (401, "token_invalid")


def test_one_megabyte(session, answer):
    assert answer("x" * 1_000_000) == (401, "token_invalid")
    assert answer(tokens.issue(session).access + "x" * 1_000_000) == (401, "token_invalid")


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "....", "a b", "", "é.ü.ß", "\x00"])
def test_what_is_no_token(db, answer, token):
    assert answer(token) == (401, "token_invalid")


@pytest.mark.parametrize(
    "header", ["[" * 2900, '{"alg":' * 400, '{"alg":{}}', '{"alg":"HS256","kid":[]}', "5"]
)
def test_an_odd_header(db, answer, header):
    encoded = base64.urlsafe_b64encode(header.encode()).decode().rstrip("=")
    assert answer(f"{encoded}.e30.e30") == (401, "token_invalid")


def test_an_ended_session(session, forge, answer):
    Session.objects.update(revoked_at=timezone.now())
    assert answer(forge(session)) == (401, "session_revoked")


def test_a_session_that_never_was(session, forge, answer):
    token = forge(session)
    session.delete()
    assert answer(token) == (401, "session_revoked")


def test_a_suspended_user(session, forge, answer):
    User.objects.update(is_active=False)
    assert answer(forge(session)) == (403, "account_suspended")


def test_it_takes_one_query(session, forge, answer, django_assert_num_queries):
    with django_assert_num_queries(1):
        answer(forge(session))
