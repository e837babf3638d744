"""Erasing accounts: a tombstone at once, and all else in small steps that may be stopped anywhere.

What must hold at once is one transaction: nobody logs in any more, sockets close, names and address are free, and the
user's card shows nobody. What the user has in other tables and in the log may be much. It goes in the background, and if
the process does, too, `manage.py finish_erasures` goes on with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from msgspec.structs import asdict

from accounts import events, schemas
from accounts.models import Erasure, OneTimeCode, Session, User
from accounts.services.passwords import count_attempt, wrong_password
from accounts.signals import erasure_asked
from core.background import Background
from core.errors import SessionRevoked, ValidationFailed
from core.storage import avatars
from core.text import comparison_key
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream

DISPLAY_NAME = "Deleted user"

erasing = Background("erasing", most=1000)


def erase_me(user: User, *, password: str, erases_messages: bool) -> None:
    """Leave nothing of the user but a card without a name, for what they said; `erases_messages`: nor that.

    Raises:
        ValidationFailed: `password_incorrect` on `password`.
        SessionRevoked: they are erased already.
        RateLimited: too many attempts.

    Emits:
        What ends with the account, by the services of the apps above, until `finish_erasure` is through.
    """
    count_attempt(user)
    is_erased = False
    while not is_erased:
        user = User.objects.get(id=user.id)
        if user.erased_at is not None:
            raise SessionRevoked
        if not user.check_password(password):
            raise ValidationFailed(errors=[wrong_password("password")])
        is_erased = _bury(user, erases_messages=erases_messages)


def erase_users(users: Collection[User], *, erases_messages: bool) -> None:
    """`erase_me` for staff, who give no password; those that are erased stay as they are."""
    for user in users:
        while (now := User.objects.get(id=user.id)).erased_at is None:
            _bury(now, erases_messages=erases_messages)


@transactional
def _bury(user: User, *, erases_messages: bool) -> bool:
    """False if the user is erased already, or has another password than the one that was checked."""
    # Who writes about this user, or in their name, holds this lock and then looks who they are.
    log.lock(user_stream(user.id))
    now = User.objects.select_for_update().get(id=user.id)
    if now.erased_at is not None or now.password != user.password:
        return False
    name = f"deleted-{user.id.hex[-12:]}"
    # A key that no name has: else whoever takes the name beforehand could keep the user from going.
    key = f"{name}!"
    User.objects.filter(id=user.id).update(
        username=name,
        username_key=key,
        email="",
        email_key=key,
        email_verified=False,
        display_name=DISPLAY_NAME,
        display_name_key=comparison_key(DISPLAY_NAME),
        bio="",
        avatar="",
        **asdict(schemas.settings(User())),
        password=make_password(None),
        is_active=False,
        is_staff=False,
        is_superuser=False,
        last_seen_at=None,
        last_login=None,
        erased_at=timezone.now(),
    )
    user.groups.clear()
    user.user_permissions.clear()
    OneTimeCode.objects.filter(user=user).delete()
    Session.objects.filter(user=user).delete()
    Erasure.objects.create(user=user, erases_messages=erases_messages, avatar=now.avatar)
    events.sessions_ended(user.id, None)
    transaction.on_commit(lambda: erasing.put(partial(finish_erasure, user.id)))
    return True


def unfinished_erasures() -> Iterator[UUID]:
    """Whose erasures are not through."""
    yield from Erasure.objects.values_list("user_id", flat=True)


def finish_erasure(user_id: UUID) -> None:
    """Take away what is left of an erased user, from wherever it was stopped. Must run outside a transaction.

    Raises:
        StorageUnavailable, Unavailable: something is away; what was done stays done.
    """
    erasure = Erasure.objects.select_related("user").filter(user=user_id).first()
    if erasure is None:
        return
    user = erasure.user
    erasure_asked.send(sender=User, user=user, erases_messages=erasure.erases_messages)
    # Nobody writes about the user any more: what an app appended in its part was the last of it.
    log.rewrite_all_about(user.id, lambda shown: schemas.erased(shown, user))
    named = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=user.id)
    named.update(object_repr=user.username)
    avatars.delete(erasure.avatar)
    Erasure.objects.filter(user=user).delete()
