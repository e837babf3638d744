"""Who may write in a room, and a message that stands still while that is decided."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from core.errors import Blocked, ChatError, Conflict, NotFound
from eventlog import log
from eventlog.log import LockedStreams
from friendships.selectors import blocked_pairs
from messaging.models import Message
from messaging.selectors import readable_messages
from rooms import selectors as rooms
from rooms.models import Membership
from rooms.selectors import get_membership


class Locked(NamedTuple):
    """A message, with its room, and the reader's membership, as they are until the transaction ends."""

    streams: LockedStreams
    membership: Membership
    message: Message


def refusal_to_write(membership: Membership, *, is_blocked: bool) -> ChatError | None:
    """Why the member may not write in the room now; `is_blocked`: it is direct, and one has blocked the other."""
    return rooms.refusal_to_write(membership) or (Blocked() if is_blocked else None)


def lock_message(user_id: UUID, message_id: UUID) -> Locked:
    """A message that the user may read, under the lock of its room's stream. Raises NotFound."""
    room_id = Message.objects.filter(id=message_id).values_list("room_id", flat=True).first()
    if room_id is None:
        raise NotFound
    # Twice: nobody locks rooms of others, and what was read before the lock may be old.
    room = get_membership(user_id, str(room_id)).room
    streams = log.lock(room.stream)
    membership = get_membership(user_id, str(room_id))
    message = readable_messages(membership.user).filter(id=message_id).first()
    if message is None:
        raise NotFound
    message.room = membership.room
    return Locked(streams, membership, message)


def lock_message_to_write(user_id: UUID, message_id: UUID) -> Locked:
    """`lock_message`, for what is done to messages that are there in rooms that take messages.

    Raises:
        NotFound, RoomLocked, Muted, Blocked
        Conflict: the message is deleted.
    """
    locked = lock_message(user_id, message_id)
    key = locked.message.room.direct_key
    refusal = refusal_to_write(locked.membership, is_blocked=key is not None and bool(blocked_pairs([key])))
    if refusal is not None:
        raise refusal
    if locked.message.deleted_at is not None:
        raise Conflict("This message is deleted.")
    return locked
