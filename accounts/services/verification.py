"""Showing that an e-mail address is one's own."""

from __future__ import annotations

from django.conf import settings

from accounts import events, selectors
from accounts.models import OneTimeCode, User
from accounts.services.attempts import Attempt, at_code, at_mail
from accounts.services.codes import INCORRECT, mail_code, try_code
from core.errors import ValidationFailed
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream


def resend_verification(*, email: str, address: str | None) -> None:
    """Mail a new code to an address that is not verified yet; to another one nothing is sent, and nothing tells.

    Raises:
        RateLimited: asked too often, whether or not there is such an account.
    """
    Attempt(at_mail(OneTimeCode.Purpose.VERIFY), login=email, address=address)
    send_verification(email)


def send_verification(email: str) -> None:
    """Mail a code to this address, unless addresses are not verified here."""
    if settings.EMAIL_VERIFICATION != "off":
        mail_code(email, OneTimeCode.Purpose.VERIFY)


def verify_email(*, email: str, code: str, address: str | None) -> None:
    """Take an address for its owner's, by the code that was mailed to it.

    Raises:
        ValidationFailed: `code_incorrect` on `code`, for an address that nobody has alike.
        RateLimited: too many attempts.

    Emits:
        account.updated, unless it was verified before.
    """
    with Attempt(at_code(OneTimeCode.Purpose.VERIFY), login=email, address=address):
        user = selectors.active_user_by_email(email)
        # Told after the transaction: an error inside it would take back that a try was counted.
        if user is None or not _verify(user, code):
            raise ValidationFailed(errors=[INCORRECT])


@transactional
def _verify(user: User, code: str) -> bool:
    streams = log.lock(user_stream(user.id))
    user = User.objects.select_for_update().get(id=user.id)
    found = try_code(user, OneTimeCode.Purpose.VERIFY, code)
    if found is None:
        return False
    found.delete()
    if not user.email_verified:
        user.email_verified = True
        user.save(update_fields=["email_verified"])
        events.account_updated(streams, user, actor_id=user.id)
    return True
