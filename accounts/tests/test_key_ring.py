"""Changing the key that tokens are signed with: old tokens hold as long as their key is in the ring, no others."""

import jwt
import pytest

from accounts import tokens
from core.errors import TokenInvalid

REFRESH, ME = "/api/v1/auth/refresh", "/api/v1/users/me"
OLD, NEW, FOREIGN = ("-".join([name] * 8) for name in ("older", "newer", "nobodys"))


@pytest.fixture
def ring(settings):
    """Sets the keys: the one that signs, then the old ones."""

    def use(signing: str, *old: str) -> None:
        settings.SIMPLE_JWT = settings.SIMPLE_JWT | {"SIGNING_KEY": signing}
        settings.JWT_OLD_SIGNING_KEYS = list(old)

    return use


@pytest.fixture
def answer(anonymous):
    """The answer to an access token: (status, code)."""

    def ask(access: str) -> tuple[int, str | None]:
        response = anonymous.get(ME, HTTP_AUTHORIZATION=f"Bearer {access}")
        return response.status_code, response.json().get("code")

    return ask


def kid(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


def resigned(token: str, *, key: str, **header: str | None) -> str:
    """The claims of `token` under another signature, with this in its header."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, key, algorithm=header.pop("alg", "HS256"), headers=header)


def test_a_token_names_its_key_and_tells_nothing_of_it(alice, session_of, ring):
    ring(OLD)
    old = tokens.issue(session_of(alice))
    ring(NEW)
    new = tokens.issue(session_of(alice))
    assert kid(old.access) == kid(old.refresh) != kid(new.access) == kid(new.refresh)
    assert OLD not in str(jwt.decode_complete(old.access, options={"verify_signature": False}))


def test_nobody_is_logged_out_when_the_key_changes(alice, session_of, ring, answer, anonymous):
    ring(OLD)
    pair = tokens.issue(session_of(alice))
    ring(NEW, OLD)
    assert answer(pair.access) == (200, None)
    renewed = anonymous.post(REFRESH, {"refresh": pair.refresh}).json()
    assert kid(renewed["access"]) == kid(renewed["refresh"]) != kid(pair.access)
    ring(NEW)
    assert answer(renewed["access"]) == (200, None)
    assert anonymous.post(REFRESH, {"refresh": renewed["refresh"]}).status_code == 200


def test_a_process_that_knows_the_next_key_already_takes_its_tokens(alice, session_of, ring, answer):
    ring(NEW, OLD)
    access = tokens.issue(session_of(alice)).access
    ring(OLD, NEW)
    assert answer(access) == (200, None)


def test_a_key_that_is_taken_out_signs_nothing_that_holds(alice, session_of, ring, answer, anonymous):
    ring(OLD)
    pair = tokens.issue(session_of(alice))
    ring(NEW)
    assert answer(pair.access) == (401, "token_invalid")
    refused = anonymous.post(REFRESH, {"refresh": pair.refresh})
    assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid")


def test_a_token_from_before_there_was_a_ring_holds(alice, session_of, ring, answer):
    ring(NEW, OLD)
    access = tokens.issue(session_of(alice)).access
    assert "kid" not in jwt.get_unverified_header(resigned(access, key=NEW))
    assert answer(resigned(access, key=NEW)) == (200, None)


class TestForgeries:
    @pytest.fixture
    def access(self, alice, session_of, ring) -> str:
        ring(NEW, OLD)
        return tokens.issue(session_of(alice)).access

    @pytest.mark.parametrize("key", [NEW, OLD, FOREIGN])
    def test_a_kid_that_is_not_in_the_ring(self, access, answer, key):
        for foreign in (tokens._kid(FOREIGN), "", "0", "../../etc/passwd", "' OR 1=1", "x" * 2000):
            assert answer(resigned(access, key=key, kid=foreign)) == (401, "token_invalid")

    @pytest.mark.parametrize("named", [NEW, OLD])
    def test_another_key_under_a_known_kid(self, access, answer, named):
        other = OLD if named == NEW else NEW
        for key in (other, FOREIGN):
            assert answer(resigned(access, key=key, kid=tokens._kid(named))) == (401, "token_invalid")

    @pytest.mark.parametrize("named", [NEW, OLD, FOREIGN])
    def test_alg_none(self, access, answer, named):
        assert answer(resigned(access, key="", alg="none", kid=tokens._kid(named))) == (401, "token_invalid")

    @pytest.mark.filterwarnings("ignore:The HMAC key")
    def test_another_algorithm(self, access, answer):
        assert answer(resigned(access, key=NEW, alg="HS512", kid=tokens._kid(NEW))) == (401, "token_invalid")

    def test_the_socket_refuses_them_alike(self, access):
        assert tokens.claims_of(access)
        with pytest.raises(TokenInvalid):
            tokens.claims_of(resigned(access, key=FOREIGN, kid=tokens._kid(NEW)))
