"""Sessions: logins, refreshes, and their ends."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts import events, selectors, tokens
from accounts.models import Session, User
from accounts.services.attempts import Attempt, at_login
from core.errors import AccountSuspended, InvalidCredentials, NotFound, SessionRevoked
from core.transactions import transactional


class Device(NamedTuple):
    """Where a login comes from, as its owner will recognize it."""

    name: str = ""
    ip: str | None = None
    user_agent: str = ""


def login(*, login: str, password: str, device: Device) -> Session:
    """Open a session for a user name or an e-mail address.

    Raises:
        InvalidCredentials: no such account, or another password; nothing tells which.
        AccountSuspended: the password is right, but the user may not log in now.
        RateLimited: too many attempts that failed, whether or not there is such an account.
    """
    session = None
    with Attempt(at_login(), login=login, address=device.ip):
        while session is None:
            user = selectors.user_with_credentials(login, password)
            if user is None:
                raise InvalidCredentials
            if not user.is_active:
                raise AccountSuspended
            session = _open_session_by_password(user, device)
    return session


@transactional
def _open_session_by_password(user: User, device: Device) -> Session | None:
    """None if the password is not the one that was checked any more."""
    # With the row locked, a change of the password comes before this, or ends this session with the others.
    password = User.objects.select_for_update().values_list("password", flat=True).get(id=user.id)
    return open_session(user, device) if password == user.password else None


@transactional
def open_session(user: User, device: Device) -> Session:
    """A new session of the user."""
    now = timezone.now()
    return Session.objects.create(
        user=user,
        device_name=device.name,
        ip=device.ip,
        user_agent=device.user_agent,
        refresh_id=uuid4(),
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
    )


def refresh(raw: str) -> Session:
    """Spend a refresh token; `tokens.issue` then makes the session's next pair.

    Tabs that share a token may come with it at the same time. So for REFRESH_GRACE_SECONDS the one that was
    spent last gives the pair that it gave: all tabs end up with the same refresh token, and none with a spent one.

    Raises:
        TokenInvalid, TokenExpired: this is no refresh token of ours that holds.
        SessionRevoked: the session has ended; or the token was spent before, which ends it.
        AccountSuspended: the user may not log in now.
    """
    token = tokens.read_refresh(raw)
    session = tokens.live_session(token["sid"])
    # Told after the transaction: an error inside it would take the revocation back.
    if not _rotate(session, spent=UUID(token["jti"])):
        raise SessionRevoked
    return session


@transactional
def _rotate(session: Session, *, spent: UUID) -> bool:
    sessions = Session.objects.filter(id=session.id, revoked_at=None)
    now, next_id = timezone.now(), uuid4()
    # Of two that come with the same token, the database lets one change the row.
    if sessions.filter(refresh_id=spent).update(
        refresh_id=next_id,
        spent_id=spent,
        spent_at=now,
        last_used_at=now,
        expires_at=now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
    ):
        session.refresh_id = next_id
        return True
    # By a later clock than the one that wrote `spent_at`, if we waited for it.
    grace = timezone.now() - timedelta(seconds=settings.REFRESH_GRACE_SECONDS)
    just_spent = sessions.filter(spent_id=spent, spent_at__gt=grace)
    if current_id := just_spent.values_list("refresh_id", flat=True).first():
        session.refresh_id = current_id
        return True
    # A spent token came back: someone has a copy, and whether the thief or the owner was first
    # can't be told. So the session ends for both (RFC 9700 §4.14.2).
    revoke(sessions)
    events.sessions_ended(session.user_id, [session.id])
    return False


@transactional
def logout(user: User, *, session_id: UUID) -> None:
    """End the session that asks."""
    revoke(Session.objects.filter(id=session_id, user=user))
    events.sessions_ended(user.id, [session_id])


@transactional
def logout_all(user: User) -> None:
    """End every session of the user."""
    revoke(Session.objects.filter(user=user))
    events.sessions_ended(user.id, None)


@transactional
def end_session(user: User, *, session_id: UUID) -> None:
    """End one session of the user's list. Raises NotFound."""
    if not revoke(selectors.live_sessions(user).filter(id=session_id)):
        raise NotFound
    events.sessions_ended(user.id, [session_id])


def revoke(sessions: QuerySet[Session]) -> int:
    """End those that have not ended yet; how many."""
    return sessions.filter(revoked_at=None).update(revoked_at=timezone.now())
