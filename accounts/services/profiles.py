"""What users say of themselves, and when they were last here."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db.models import Q

from accounts import events
from accounts.models import User
from accounts.selectors import reread_user
from accounts.services.names import save_unique, taken
from core.errors import ValidationFailed
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream

PROFILE = ("username", "username_key", "display_name", "display_name_key", "bio")


class SettingChanges(TypedDict, total=False):
    """What a user may choose; what is left out stays."""

    last_seen: str
    read_receipts: bool
    messages_from: str
    invites_from: str


_SETTINGS = tuple(SettingChanges.__annotations__)


@transactional
def update_me(
    user: User,
    *,
    username: str | None = None,
    display_name: str | None = None,
    bio: str | None = None,
    settings: SettingChanges | None = None,
) -> User:
    """Change what is given of the user's profile and settings.

    Emits:
        account.updated, if anything became another.
        presence (not kept), with another `last_seen`: to who sees it no more, or only now.

    Raises:
        ValidationFailed: `unique` on `username`.
        SessionRevoked: the user is erased.
    """
    streams = log.lock(user_stream(user.id))
    user = reread_user(user)
    given = {"username": username, "display_name": display_name, "bio": bio, **(settings or {})}
    changed = {name: value for name, value in given.items() if value not in (None, getattr(user, name))}
    last_seen = user.last_seen
    if changed:
        for name, value in changed.items():
            setattr(user, name, value)
        if "username" in changed and (broken := taken(user)):
            raise ValidationFailed(errors=broken)
        save_unique(user, update_fields=(*PROFILE, *_SETTINGS))
        events.account_updated(streams, user, actor_id=user.id)
    if "last_seen" in changed:
        events.presence_switched(user, before=last_seen)
    return user


def mark_seen(user_id: UUID, at: datetime) -> None:
    """Keep when a user was last known to be here; an earlier time than the one that is kept changes nothing."""
    never_or_before = Q(last_seen_at=None) | Q(last_seen_at__lt=at)
    User.objects.filter(never_or_before, id=user_id, erased_at=None).update(last_seen_at=at)
