"""Passwords, and what ends with an old one."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts import events, selectors
from accounts.models import OneTimeCode, Session, User
from accounts.services.attempts import Attempt, at_code, at_mail
from accounts.services.codes import INCORRECT, mail_code, try_code
from accounts.services.sessions import logout_all, revoke
from core import limits
from core.errors import FieldError, RateLimited, SessionRevoked, ValidationFailed
from core.limits import Limit
from core.transactions import transactional

PASSWORD_SECONDS = 300
"""In so long a user's password may be tried PASSWORD_ATTEMPTS times by who is logged in."""


def count_attempt(user: User) -> None:
    """Count that who is logged in gives their password. Raises RateLimited."""
    limit = Limit("login", settings.PASSWORD_ATTEMPTS, PASSWORD_SECONDS)
    if not limits.take(limit, str(user.id)):
        raise RateLimited(retry_after=PASSWORD_SECONDS)


def wrong_password(attr: str) -> FieldError:
    return FieldError(attr, "password_incorrect", "This is not your password.")


def change_password(user: User, *, session_id: UUID, old_password: str, new_password: str) -> None:
    """Replace the user's password, and end every session but the one that asks.

    Raises:
        ValidationFailed: `password_incorrect` on `old_password`, `password_…` on `new_password`.
        SessionRevoked: the session that asks has ended meanwhile.
        RateLimited: too many attempts.
    """
    count_attempt(user)
    replaced = False
    while not replaced:
        user = User.objects.get(id=user.id)
        broken = weaknesses(new_password, user, attr="new_password")
        if not user.check_password(old_password):
            broken.insert(0, wrong_password("old_password"))
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


def request_password_reset(*, email: str, address: str | None) -> None:
    """Mail a code for a new password to the account with this address; if there is none, nothing tells.

    Raises:
        RateLimited: asked too often, whether or not there is such an account.
    """
    Attempt(at_mail(OneTimeCode.Purpose.RESET), login=email, address=address)
    mail_code(email, OneTimeCode.Purpose.RESET)


def reset_password(*, email: str, code: str, new_password: str, address: str | None) -> None:
    """Replace a forgotten password by means of the code that was mailed, and end every session of the user.

    Raises:
        ValidationFailed: `code_incorrect` on `code`, for an address that nobody has alike; with the right code
            `password_…` on `new_password`, and the code still holds.
        RateLimited: too many attempts.
    """
    with Attempt(at_code(OneTimeCode.Purpose.RESET), login=email, address=address):
        # Before it is known whether it is needed: it takes as long for all.
        new_hash = make_password(new_password)
        user = selectors.active_user_by_email(email)
        broken = [INCORRECT] if user is None else _reset_password(user, code, new_password, new_hash)
        # Told after the transaction: an error inside it would take back that a try was counted.
        if broken:
            raise ValidationFailed(errors=broken)


@transactional
def _reset_password(user: User, code: str, new_password: str, new_hash: str) -> list[FieldError]:
    user = User.objects.select_for_update().get(id=user.id)
    found = try_code(user, OneTimeCode.Purpose.RESET, code)
    if found is None:
        return [INCORRECT]
    if broken := weaknesses(new_password, user, attr="new_password"):
        return broken
    found.delete()
    user.password = new_hash
    keep_new_password(user)
    return []


@transactional
def keep_new_password(user: User) -> None:
    """Save the hash in `user.password`, and end every session of the user."""
    User.objects.filter(id=user.id).update(password=user.password)
    logout_all(user)


def weaknesses(password: str, user: User, *, attr: str = "password") -> list[FieldError]:
    """What Django's validators say of a password; their codes begin with `password_`."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [FieldError(attr, found.code or "invalid", found.messages[0]) for found in error.error_list]
    return []
