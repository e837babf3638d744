"""How far members have got in a room, and that they type."""

from __future__ import annotations

from uuid import UUID

from core import limits
from core.limits import Limit
from messaging import events
from messaging.schemas import ReadMarker
from rooms.models import Membership, Room
from rooms.selectors import get_membership, members_without_receipts, room_mates_apart_from

TYPING = Limit("typing", most=1, seconds=3)
"""Of one user in one room; that they stopped is counted for itself."""

TYPING_SECONDS = 10
"""After that nobody types who has not said so again."""


def mark_read(user_id: UUID, room_key: str, *, seq: int) -> ReadMarker:
    """Move the user's read marker to `seq`: never back, never past the room's last message.

    Raises:
        NotFound: not a member.

    Emits:
        read (not kept): if the marker moved; in a direct room not to one who is kept apart from the user, nor to
            members without read receipts. Of a user without them it is for their own devices only.
    """
    membership = get_membership(user_id, room_key)
    room = membership.room
    seq, moved = _move(membership, "last_read_seq", seq)
    if moved and membership.user.read_receipts:
        not_to = _untold(user_id, room) | members_without_receipts(room)
        events.room_read(room, user_id, seq, not_to=not_to)
    elif moved:
        events.room_read_unseen(room, user_id, seq)
    return ReadMarker(last_read_seq=seq, unread_count=max(0, room.last_seq - seq))


def mark_delivered(user_id: UUID, room_key: str, *, seq: int) -> None:
    """Move the marker of what a device of the user has got, like `mark_read`.

    Raises:
        NotFound: not a member.

    Emits:
        delivered (not kept): if the marker moved; in a direct room not to one who is kept apart from the user.
    """
    membership = get_membership(user_id, room_key)
    seq, moved = _move(membership, "last_delivered_seq", seq)
    if moved:
        events.room_delivered(membership.room, user_id, seq, not_to=_untold(user_id, membership.room))


def _untold(user_id: UUID, room: Room) -> set[UUID]:
    """Who is not told of the user's markers: a group's are everyone's."""
    return room_mates_apart_from(user_id, room=room) if room.is_direct else set()


def _move(membership: Membership, marker: str, seq: int) -> tuple[int, bool]:
    """Where the marker is now, and whether this moved it."""
    seq = min(seq, membership.room.last_seq)
    # One statement, so that of two devices the later place wins, whichever comes first.
    mine = Membership.active.filter(pk=membership.pk, **{f"{marker}__lt": seq})
    if mine.update(**{marker: seq}):
        return seq, True
    membership.refresh_from_db(fields=[marker])
    return getattr(membership, marker), False


def set_typing(user_id: UUID, room_key: str, *, is_typing: bool) -> None:
    """Show the others in the room that the user types, or has stopped; more often than TYPING it is dropped.

    Raises:
        NotFound: not a member.

    Emits:
        typing (not kept), but to nobody whom the user has blocked or who has blocked them; taken back after
        TYPING_SECONDS.
    """
    room = get_membership(user_id, room_key).room
    if limits.take(TYPING, f"{user_id}.{room.id}.{is_typing}"):
        not_to = {user_id} | room_mates_apart_from(user_id, room=room)
        events.typing_changed(room, user_id, is_typing=is_typing, not_to=not_to, lapses_in=TYPING_SECONDS)
