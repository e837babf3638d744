"""Faces of users."""

from __future__ import annotations

from typing import IO

from django.db import transaction

from accounts import events
from accounts.models import User
from accounts.selectors import reread_user
from core.errors import SessionRevoked
from core.storage import avatars
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream


def set_avatar(user: User, *, file: IO[bytes]) -> User:
    """Show a picture as the user's face; the one before it is deleted.

    Emits:
        account.updated

    Raises:
        UnsupportedMediaType, TooLarge: it is no picture that can be read, or has too many pixels.
        StorageUnavailable
        SessionRevoked: the user is erased.
    """
    name = avatars.keep(file)
    try:
        return _replace(user, name)
    except SessionRevoked:
        avatars.remove(name)
        raise


def remove_avatar(user: User) -> User:
    """Show no face; without one, nothing changes.

    Emits:
        account.updated, if there was one.
    """
    return _replace(user, "")


@transactional
def _replace(user: User, name: str) -> User:
    streams = log.lock(user_stream(user.id))
    user = reread_user(user)
    old, user.avatar = user.avatar, name
    if name != old:
        user.save(update_fields=["avatar"])
        events.account_updated(streams, user, actor_id=user.id)
        transaction.on_commit(lambda: avatars.remove(old))
    return user
