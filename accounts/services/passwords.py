"""Passwords, and what ends with an old one."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts import events
from accounts.models import Session, User
from accounts.services.sessions import logout_all, revoke
from core import limits
from core.errors import FieldError, RateLimited, SessionRevoked, ValidationFailed
from core.limits import Limit
from core.transactions import transactional

PASSWORD_SECONDS = 300
"""In so long a user's password may be tried PASSWORD_ATTEMPTS times by who is logged in."""


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
        broken = weaknesses(new_password, user, attr="new_password")
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
    revoke(sessions.filter(id__in=others))
    events.sessions_ended(user.id, others)
    return True


@transactional
def keep_new_password(user: User) -> None:
    """Save the hash in `user.password`, which staff have set, and end every session of the user."""
    User.objects.filter(id=user.id).update(password=user.password)
    logout_all(user)


def weaknesses(password: str, user: User, *, attr: str = "password") -> list[FieldError]:
    """What Django's validators say of a password; their codes begin with `password_`."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [FieldError(attr, found.code or "invalid", found.messages[0]) for found in error.error_list]
    return []
