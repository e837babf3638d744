"""What staff do in the console."""

from __future__ import annotations

from collections.abc import Collection

from accounts import events
from accounts.models import User
from accounts.services.profiles import PROFILE
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream
from realtime.close_codes import CloseCode

# Without what changes by other ways, the password above all: the form's copy of it may be an old one.
_CONSOLE = (*PROFILE, "email", "email_key", "email_verified", "is_bot", "is_staff", "is_superuser")


@transactional
def save_user(staff: User, *, user: User, is_new: bool) -> None:
    """Save an account as staff left it in the console; the names have been checked. One that is erased stays so.

    Emits: account.updated, unless the account is new.
    """
    streams = log.lock(user_stream(user.id))
    if User.objects.filter(id=user.id, erased_at__isnull=False).exists():
        return
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
    """Let these accounts in again, but for those that are erased."""
    User.objects.filter(id__in=[user.id for user in users], erased_at=None).update(is_active=True)
