"""What a user wants of a room, for themselves alone."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, Unpack

from accounts.models import User
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream
from rooms import events
from rooms.models import Membership
from rooms.selectors import get_membership


class PreferenceChanges(TypedDict, total=False):
    """`muted_until`: no notices until then; None has them again."""

    muted_until: datetime | None
    pinned: bool


@transactional
def set_preferences(user: User, *, room_key: str, **changes: Unpack[PreferenceChanges]) -> Membership:
    """Mute a room or pin it.

    Raises:
        NotFound: not a member.

    Emits:
        room.preferences: to the user, if anything became another.
    """
    streams = log.lock(user_stream(user.id))
    membership = get_membership(user.id, room_key)
    changed = {name: value for name, value in changes.items() if value != getattr(membership, name)}
    if changed:
        for name, value in changed.items():
            setattr(membership, name, value)
        membership.save(update_fields=[*changed])
        events.room_preferences_changed(streams, membership)
    return membership
