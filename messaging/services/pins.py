"""Pinning messages to their room."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.utils import timezone

from core.errors import Conflict, Forbidden
from core.transactions import transactional
from messaging import events
from messaging.models import Pin
from messaging.services.access import lock_message, lock_message_to_write
from rooms.models import Membership


@transactional
def pin_message(user_id: UUID, *, message_id: UUID) -> None:
    """Pin a message to its room; a repeat changes nothing.

    Raises:
        NotFound: no such message that the user may read.
        Forbidden: the user is neither admin nor owner, in a group.
        Conflict: it is deleted, or MAX_PINS others are pinned in the room.
        RoomLocked, Muted, Blocked

    Emits:
        message.pinned: on the room's stream.
    """
    streams, membership, message = lock_message_to_write(user_id, message_id)
    _check_may_pin(membership)
    if message.pinned_at is not None:
        return
    if Pin.objects.filter(room=message.room).count() >= settings.MAX_PINS:
        raise Conflict(f"At most {settings.MAX_PINS} pinned messages in a room.")
    Pin.objects.create(message=message, room=message.room)
    message.pinned_at = timezone.now()
    message.save(update_fields=["pinned_at"])
    events.message_pinned(streams, message, by=user_id)


@transactional
def unpin_message(user_id: UUID, *, message_id: UUID) -> None:
    """Take a pin back, also where nobody may write; without one, nothing changes.

    Raises:
        NotFound: no such message that the user may read.
        Forbidden: the user is neither admin nor owner, in a group.

    Emits:
        message.unpinned: on the room's stream.
    """
    streams, membership, message = lock_message(user_id, message_id)
    _check_may_pin(membership)
    if message.pinned_at is None:
        return
    Pin.objects.filter(message=message).delete()
    message.pinned_at = None
    message.save(update_fields=["pinned_at"])
    events.message_unpinned(streams, message, by=user_id)


def _check_may_pin(membership: Membership) -> None:
    if not (membership.may_administer or membership.room.is_direct):
        raise Forbidden
