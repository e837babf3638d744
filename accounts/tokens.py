"""Tokens: access and refresh JWTs (RFC 7519) of a session, and one-use tickets for the socket.

An access token is checked against its session on every use, so that a logout holds at once: DRF does
so through `SessionTokenAuthentication`, the socket asks `identify`.

Tokens are signed with JWT_SIGNING_KEY and name it by `kid` (RFC 7515 §4.1.4); those that name one of
JWT_OLD_SIGNING_KEYS hold, too. So a key can be changed without anybody being logged out.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast
from uuid import UUID

import jwt
from django.conf import settings
from django.core.cache import cache
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.models import Session, User
from accounts.schemas import user_card
from core.errors import (
    AccountSuspended,
    ChatError,
    EmailNotVerified,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
)
from core.rows import saved_key
from realtime.close_codes import CloseCode
from realtime.router import Claims, Identity

MAX_TOKEN_LENGTH = 4096
_TICKET = re.compile(r"[A-Za-z0-9_-]{43}")


class KeyRing(TokenBackend):
    """Signs with one key, and verifies with the one that a token names."""

    def __init__(self, signing_key: str, old_keys: Sequence[str]) -> None:
        super().__init__("HS256", signing_key)
        self._key, self._kid = signing_key, _kid(signing_key)
        self._keys = {_kid(key): key for key in (*old_keys, signing_key)}

    def encode(self, payload: dict[str, Any]) -> str:
        return jwt.encode(payload, self._key, algorithm=self.algorithm, headers={"kid": self._kid})

    def get_verifying_key(self, token: Any) -> str:
        """Raises InvalidTokenError, which `decode` turns into what simplejwt says."""
        if len(self._keys) == 1:
            # Whatever key it names, no other one would do; to look takes as long as to verify.
            return self._key
        # Tokens that name no key are older than the ring.
        key = self._keys.get(jwt.get_unverified_header(token).get("kid", self._kid))
        if key is None:
            raise jwt.InvalidTokenError
        return key


def _kid(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _ring() -> KeyRing:
    return _ring_of(settings.SIMPLE_JWT["SIGNING_KEY"], *settings.JWT_OLD_SIGNING_KEYS)


@lru_cache(maxsize=8)
def _ring_of(signing_key: str, *old_keys: str) -> KeyRing:
    return KeyRing(signing_key, old_keys)


class _Access(AccessToken):
    def get_token_backend(self) -> KeyRing:
        return _ring()


class _Refresh(RefreshToken):
    def get_token_backend(self) -> KeyRing:
        return _ring()


class TokenPair(NamedTuple):
    """What a login gives. `expires_in` is the access token's life in seconds."""

    access: str
    refresh: str
    expires_in: int


def issue(session: Session) -> TokenPair:
    """Tokens for a session; the refresh token's `jti` is the session's `refresh_id`."""
    refresh = _Refresh()
    refresh["sub"], refresh["sid"], refresh["jti"] = (
        str(session.user_id),
        str(session.id),
        str(session.refresh_id),
    )
    access = _Access()
    access["sub"], access["sid"] = str(session.user_id), str(session.id)
    return TokenPair(str(access), str(refresh), settings.ACCESS_TOKEN_SECONDS)


def read_access(raw: str) -> AccessToken:
    """The claims of an access token. Raises TokenExpired or TokenInvalid."""
    return _read(_Access, raw)


def read_refresh(raw: str) -> RefreshToken:
    """The claims of a refresh token. Raises TokenExpired or TokenInvalid."""
    return _read(_Refresh, raw)


def _read(kind: type[Any], raw: str) -> Any:
    if len(raw) > MAX_TOKEN_LENGTH:
        raise TokenInvalid
    try:
        token = kind(raw)
        UUID(token["sid"])
        UUID(token["jti"])
    except ExpiredTokenError:
        raise TokenExpired from None
    except (TokenError, KeyError, ValueError, TypeError, AttributeError):
        raise TokenInvalid from None
    return token


def live_session(session_id: UUID | str) -> Session:
    """The session with its user, in one query.

    Raises:
        SessionRevoked: it has ended, or never was.
        AccountSuspended: the user may not log in now.
    """
    return _live(Session.objects.select_related("user").filter(id=session_id).first())


def live_user(session_id: UUID | str) -> User:
    """The user of a session, for each request anew.

    Raises:
        SessionRevoked: it has ended, or never was.
        AccountSuspended: the user may not log in now.
    """
    # By hand: to write this statement takes Django four times as long as all the rest.
    rows = User.objects.raw(
        "SELECT u.*, s.revoked_at FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id WHERE s.id = %s",
        [saved_key(Session, session_id)],
    )
    user = next(iter(rows), None)
    if user is None or user.revoked_at:  # type: ignore[attr-defined]
        raise SessionRevoked
    if not user.is_active:
        raise AccountSuspended
    return user


def _live(session: Session | None) -> Session:
    if session is None or session.revoked_at:
        raise SessionRevoked
    if not session.user.is_active:
        raise AccountSuspended
    return session


def is_shut_out(*, email_verified: bool) -> bool:
    """Whether a user first has to show that their e-mail address is theirs."""
    return settings.EMAIL_VERIFICATION == "required" and not email_verified


def ended_sessions(session_ids: Collection[UUID]) -> dict[UUID, CloseCode]:
    """Those of the sessions that are over, with why; one query."""
    columns = ("id", "revoked_at", "user__is_active", "user__email_verified")
    known = {row[0]: row[1:] for row in Session.objects.filter(id__in=session_ids).values_list(*columns)}
    ended = {}
    for id_ in session_ids:
        revoked_at, is_active, email_verified = known.get(id_, (True, True, True))
        if revoked_at:
            ended[id_] = CloseCode.SESSION_ENDED
        elif not is_active or is_shut_out(email_verified=email_verified):
            ended[id_] = CloseCode.SUSPENDED
    return ended


def claims_of(raw: str) -> Claims:
    """What an access token says. Raises TokenExpired or TokenInvalid."""
    token = read_access(raw)
    return Claims(UUID(token["sid"]), float(token["exp"]))


def identify(claims: Sequence[Claims]) -> list[Identity | ChatError]:
    """Whose each of the sessions is, or why nobody's: SessionRevoked, AccountSuspended, EmailNotVerified; one query."""
    sessions = Session.objects.select_related("user").in_bulk({one.session_id for one in claims})
    found: list[Identity | ChatError] = []
    for one in claims:
        try:
            session = _live(sessions.get(one.session_id))
            if is_shut_out(email_verified=session.user.email_verified):
                raise EmailNotVerified
        except ChatError as refusal:
            found.append(refusal)
        else:
            found.append(Identity(session.user_id, session.id, one.expires_at, user_card(session.user)))
    return found


def issue_ticket(session_id: UUID, expires_at: float) -> str:
    """A ticket that opens one socket within WS_TICKET_SECONDS; the socket ends with the token it came from."""
    ticket = secrets.token_urlsafe(32)
    cache.set(_ticket_key(ticket), (str(session_id), expires_at), timeout=settings.WS_TICKET_SECONDS)
    return ticket


def redeem_ticket(ticket: str) -> Claims:
    """What a ticket stands for; it is spent by asking. Raises TokenInvalid."""
    if not _TICKET.fullmatch(ticket):
        raise TokenInvalid
    key = _ticket_key(ticket)
    found = cache.get(key)
    # Two sockets may read the same ticket; the one whose delete finds the key has it.
    if found is None or not cache.delete(key):
        raise TokenInvalid
    session_id, expires_at = found
    return Claims(UUID(session_id), expires_at)


def _ticket_key(ticket: str) -> str:
    return f"ws-ticket.{ticket}"


class SessionTokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access>` of a live session. `request.auth` is the token, with `sid`."""

    def get_validated_token(self, raw_token: bytes) -> Token:
        return read_access(raw_token.decode("latin-1"))

    def get_user(self, validated_token: Token) -> User:  # type: ignore[override]
        return live_user(validated_token["sid"])

    def get_raw_token(self, header: bytes) -> bytes | None:
        """Two words, the first of them Bearer in any case (RFC 9110 §11.1)."""
        match header.split():
            case [scheme, token] if scheme.lower() == b"bearer":
                return token
            case [scheme, *_] if scheme.lower() == b"bearer":
                raise TokenInvalid
        return None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IsVerified(IsAuthenticated):
    """The callers of every operation; where EMAIL_VERIFICATION is required, not those who are not verified.

    A view names the actions that they need all the same: `unverified_may = ("retrieve",)`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises EmailNotVerified."""
        if not super().has_permission(request, view):
            return False
        is_open = getattr(view, "action", None) in getattr(view, "unverified_may", ())
        if not is_open and is_shut_out(email_verified=caller(request).email_verified):
            raise EmailNotVerified
        return True


def caller(request: Request) -> User:
    """Who asks, in a view that only authenticated users reach."""
    return cast(User, request.user)


class SessionTokenScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names it."""

    target_class = "accounts.tokens.SessionTokenAuthentication"
    name = "bearer"
