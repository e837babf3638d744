"""Writes of users and sessions.

Passwords are hashed before a transaction begins: Argon2 is slow on purpose, and SQLite has one writer.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import events, selectors, tokens
from accounts.models import Session, User
from core import limits
from core.errors import (
    AccountSuspended,
    FieldError,
    InvalidCredentials,
    NotFound,
    RateLimited,
    SessionRevoked,
    ValidationFailed,
)
from core.limits import Limit
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream
from realtime.close_codes import CloseCode

PASSWORD_SECONDS = 300
"""In so long a user's password may be tried PASSWORD_ATTEMPTS times by who is logged in."""

_PROFILE = ("username", "username_key", "display_name", "display_name_key", "bio")
# Without what changes by other ways, the password above all: the form's copy of it may be an old one.
_CONSOLE = (*_PROFILE, "email", "email_key", "email_verified", "is_bot", "is_staff", "is_superuser")


class Device(NamedTuple):
    """Where a login comes from, as its owner will recognize it."""

    name: str = ""
    ip: str | None = None
    user_agent: str = ""


def register(*, username: str, email: str, password: str, device: Device, display_name: str = "") -> Session:
    """Make an account, and log it in.

    Raises:
        ValidationFailed: `unique` on `username` or `email`, `password_…` on `password`.
    """
    user = User(username=username, email=email, display_name=display_name)
    broken = [*_taken(user), *_weaknesses(password, user)]
    if broken:
        raise ValidationFailed(errors=broken)
    user.password = make_password(password)
    return _register(user, device)


@transactional
def _register(user: User, device: Device) -> Session:
    log.lock(user_stream(user.id))
    _save_unique(user)
    return _open_session(user, device)


def login(*, login: str, password: str, device: Device) -> Session:
    """Open a session for a user name or an e-mail address.

    Raises:
        InvalidCredentials: no such account, or another password; nothing tells which.
        AccountSuspended: the password is right, but the user may not log in now.
    """
    session = None
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
    return _open_session(user, device) if password == user.password else None


@transactional
def _open_session(user: User, device: Device) -> Session:
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
    now = timezone.now()
    session.refresh_id, session.last_used_at = uuid4(), now
    session.expires_at = now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS)
    # Of two that come with the same token, the database lets one change the row.
    rotated = Session.objects.filter(id=session.id, refresh_id=spent, revoked_at=None).update(
        refresh_id=session.refresh_id, last_used_at=now, expires_at=session.expires_at
    )
    if not rotated:
        # A spent token came back: someone has a copy, and whether the thief or the owner was first
        # can't be told. So the session ends for both (RFC 9700 §4.14.2).
        _revoke(Session.objects.filter(id=session.id))
        events.sessions_ended(session.user_id, [session.id])
    return bool(rotated)


@transactional
def logout(user: User, *, session_id: UUID) -> None:
    """End the session that asks."""
    _revoke(Session.objects.filter(id=session_id, user=user))
    events.sessions_ended(user.id, [session_id])


@transactional
def logout_all(user: User) -> None:
    """End every session of the user."""
    _revoke(Session.objects.filter(user=user))
    events.sessions_ended(user.id, None)


@transactional
def end_session(user: User, *, session_id: UUID) -> None:
    """End one session of the user's list. Raises NotFound."""
    if not _revoke(selectors.live_sessions(user).filter(id=session_id)):
        raise NotFound
    events.sessions_ended(user.id, [session_id])


def change_password(user: User, *, session_id: UUID, old_password: str, new_password: str) -> None:
    """Replace the user's password, and end every session but the one that asks.

    Raises:
        ValidationFailed: `password_incorrect` on `old_password`, `password_…` on `new_password`.
        SessionRevoked: the session that asks has ended meanwhile.
        RateLimited: too many attempts.
    """
    limit = Limit("login", settings.PASSWORD_ATTEMPTS, PASSWORD_SECONDS)
    if not limits.take(limit, str(user.id)):
        raise RateLimited(retry_after=PASSWORD_SECONDS)
    replaced = False
    while not replaced:
        user = User.objects.get(id=user.id)
        broken = _weaknesses(new_password, user, attr="new_password")
        if not user.check_password(old_password):
            broken.insert(0, FieldError("old_password", "password_incorrect", "This is not your password."))
        if broken:
            raise ValidationFailed(errors=broken)
        replaced = _replace_password(user, make_password(new_password), session_id=session_id)


@transactional
def _replace_password(user: User, new_hash: str, *, session_id: UUID) -> bool:
    """False if the password is not the one that was checked any more."""
    # This locks the row: no login can open a session by the old password now, and none unseen here.
    if not User.objects.filter(id=user.id, password=user.password).update(password=new_hash):
        return False
    sessions = Session.objects.filter(user=user, revoked_at=None)
    ids = set(sessions.values_list("id", flat=True))
    if session_id not in ids:
        raise SessionRevoked
    others = ids - {session_id}
    _revoke(sessions.filter(id__in=others))
    events.sessions_ended(user.id, others)
    return True


@transactional
def keep_new_password(user: User) -> None:
    """Save the hash in `user.password`, which staff have set, and end every session of the user."""
    User.objects.filter(id=user.id).update(password=user.password)
    logout_all(user)


def _revoke(sessions: QuerySet[Session]) -> int:
    return sessions.filter(revoked_at=None).update(revoked_at=timezone.now())


@transactional
def update_me(
    user: User, *, username: str | None = None, display_name: str | None = None, bio: str | None = None
) -> User:
    """Change what is given of the user's profile.

    Emits: account.updated, if anything became another.

    Raises:
        ValidationFailed: `unique` on `username`.
    """
    streams = log.lock(user_stream(user.id))
    user = User.objects.get(id=user.id)
    given = {"username": username, "display_name": display_name, "bio": bio}
    changed = {name: value for name, value in given.items() if value not in (None, getattr(user, name))}
    if changed:
        for name, value in changed.items():
            setattr(user, name, value)
        if "username" in changed and (broken := _taken(user)):
            raise ValidationFailed(errors=broken)
        _save_unique(user, update_fields=_PROFILE)
        events.account_updated(streams, user, actor_id=user.id)
    return user


@transactional
def save_user(staff: User, *, user: User, is_new: bool) -> None:
    """Save an account as staff left it in the console; the names have been checked.

    Emits: account.updated, unless the account is new.
    """
    streams = log.lock(user_stream(user.id))
    user.save(update_fields=None if is_new else _CONSOLE)
    if not is_new:
        events.account_updated(streams, user, actor_id=staff.id)


@transactional
def deactivate_users(users: Collection[User]) -> None:
    """Shut these accounts out; their sessions sleep until they are let in again."""
    User.objects.filter(id__in=[user.id for user in users]).update(is_active=False)
    for user in users:
        events.sessions_ended(user.id, None, code=CloseCode.SUSPENDED)


@transactional
def activate_users(users: Collection[User]) -> None:
    """Let these accounts in again."""
    User.objects.filter(id__in=[user.id for user in users]).update(is_active=True)


def _taken(user: User) -> list[FieldError]:
    return [
        FieldError(attr, "unique", f"Another account has this {attr}.")
        for attr in selectors.taken(username=user.username, email=user.email, except_for=user.id)
    ]


def _save_unique(user: User, update_fields: Collection[str] | None = None) -> None:
    try:
        with transaction.atomic():
            user.save(update_fields=update_fields)
    except IntegrityError:
        # Another request took the name after we had looked.
        if broken := _taken(user):
            raise ValidationFailed(errors=broken) from None
        raise


def _weaknesses(password: str, user: User, *, attr: str = "password") -> list[FieldError]:
    """What Django's validators say of a password; their codes begin with `password_`."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [FieldError(attr, found.code or "invalid", found.messages[0]) for found in error.error_list]
    return []


def mark_seen(user_id: UUID, at: datetime) -> None:
    """Keep when a user was last known to be here; an earlier time than the one that is kept changes nothing."""
    never_or_before = Q(last_seen_at=None) | Q(last_seen_at__lt=at)
    User.objects.filter(never_or_before, id=user_id).update(last_seen_at=at)
