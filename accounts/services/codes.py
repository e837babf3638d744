"""One-time codes: made and mailed in the background, tried within a transaction of who asks.

Crockford's alphabet has no letters that can be taken for others, and 8 of it are 40 bits: of the tries that
are allowed to a code, one in five thousand million hits.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import selectors
from accounts.models import OneTimeCode, User
from accounts.services.attempts import ADDRESSES_PER_ACCOUNT
from core.background import Background
from core.errors import FieldError
from core.transactions import transactional

INCORRECT = FieldError("code", "code_incorrect", "This is not the code that was mailed, or it holds no more.")
"""Also for an address that nobody has, so that nobody learns of it."""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 8
_MEANT = str.maketrans("OIL", "011", " -")

outbox = Background("mail", most=1000)


def mail_code(email: str, purpose: OneTimeCode.Purpose) -> None:
    """Mail a new code to the account with this address, after the commit, if there is one that it is for.

    All of it happens in the background, so that an answer takes as long whether or not there is an account.
    """
    transaction.on_commit(lambda: outbox.put(partial(_mail_code, email, purpose)))


def _mail_code(email: str, purpose: OneTimeCode.Purpose) -> None:
    user = selectors.active_user_by_email(email)
    if user is None:
        return
    code = _renew(user, purpose)
    if code is None:
        return
    context = {"user": user, "code": code, "minutes": settings.CODE_SECONDS // 60}
    subject, _, text = render_to_string(f"accounts/{purpose}.txt", context).partition("\n\n")
    # To the address that the account has: what was typed may only look like it.
    EmailMessage(subject, text, to=[user.email], headers={"Auto-Submitted": "auto-generated"}).send()


@transactional
def _renew(user: User, purpose: OneTimeCode.Purpose) -> str | None:
    """A new code in the place of the old one; None where there is nothing to do with it."""
    user = User.objects.select_for_update().get(id=user.id)
    # Erased or shut out, since it was found by its address.
    if not user.is_active:
        return None
    if purpose is OneTimeCode.Purpose.VERIFY and user.email_verified:
        return None
    # Nobody logs in by a password who has none: staff, who took it away, have decided so.
    if purpose is OneTimeCode.Purpose.RESET and not user.has_usable_password():
        return None
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    values = {
        "code_hash": _hash(user, purpose, code),
        "expires_at": timezone.now() + timedelta(seconds=settings.CODE_SECONDS),
        "attempts": 0,
    }
    OneTimeCode.objects.update_or_create(user=user, purpose=purpose, defaults=values)
    return f"{code[:4]}-{code[4:]}"


def try_code(user: User, purpose: OneTimeCode.Purpose, code: str) -> OneTimeCode | None:
    """The user's code, if it is this one and still holds; deleting it spends it. Another one costs a try.

    The caller has locked the user's row, and lets the transaction commit.
    """
    row = OneTimeCode.objects.filter(user=user, purpose=purpose).first()
    most = settings.CODE_ATTEMPTS * ADDRESSES_PER_ACCOUNT
    if row is None or row.expires_at <= timezone.now() or row.attempts >= most:
        return None
    if not constant_time_compare(row.code_hash, _hash(user, purpose, code)):
        row.attempts += 1
        row.save(update_fields=["attempts"])
        return None
    return row


def _hash(user: User, purpose: OneTimeCode.Purpose, code: str) -> str:
    """Of a code as it is meant; with what it is for, so that it ends when that becomes another."""
    meant = code.upper().translate(_MEANT)
    about = user.password if purpose is OneTimeCode.Purpose.RESET else ""
    text = "\n".join([str(user.id), user.email_key, about, meant])
    return salted_hmac(f"{__name__}.{purpose}", text, algorithm="sha256").hexdigest()
