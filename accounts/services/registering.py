"""New accounts."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password

from accounts.models import Session, User
from accounts.services.names import save_unique, taken
from accounts.services.passwords import weaknesses
from accounts.services.sessions import Device, open_session
from accounts.services.verification import send_verification
from core.errors import ValidationFailed
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream


def register(*, username: str, email: str, password: str, device: Device, display_name: str = "") -> Session:
    """Make an account, log it in, and mail a code for its address if such are to be verified.

    Raises:
        ValidationFailed: `unique` on `username` or `email`, `password_…` on `password`.
    """
    user = User(username=username, email=email, display_name=display_name)
    broken = [*taken(user), *weaknesses(password, user)]
    if broken:
        raise ValidationFailed(errors=broken)
    user.password = make_password(password)
    return _register(user, device)


@transactional
def _register(user: User, device: Device) -> Session:
    log.lock(user_stream(user.id))
    save_unique(user)
    send_verification(user.email)
    return open_session(user, device)
