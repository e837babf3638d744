"""Who has read a message, or got it."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from core.errors import NotFound
from messaging.selectors.messages import readable_messages
from rooms.models import Membership
from rooms.selectors import room_mates_apart_from


def receipts_of(viewer: User, message_id: UUID) -> QuerySet[Membership]:
    """The memberships, with their users, of those who have received a message; `is_read` says whether they read it.

    Not its sender, and nobody who came after it: their markers begin behind what they were never sent. In a
    direct room none of one who is kept apart from the viewer, as with the markers themselves. Of those who don't show
    the viewer how far they have read, only who has got it: that they are here may not tell more.

    Raises:
        NotFound
    """
    message = readable_messages(viewer).select_related("room").filter(id=message_id).first()
    if message is None:
        raise NotFound
    # As in User.shows_reading_to.
    is_shown = Q(user=viewer) | Q(user__read_receipts=True) if viewer.read_receipts else Q(user=viewer)
    is_read = is_shown & Q(last_read_seq__gte=message.seq)
    has_it = is_read | Q(last_delivered_seq__gte=message.seq)
    members = Membership.active.filter(has_it, room=message.room, joined_pos__lt=message.pos)
    if message.room.is_direct:
        members = members.exclude(user_id__in=room_mates_apart_from(viewer.id, room=message.room))
    members = members.exclude(user_id=message.sender_id).select_related("user")
    return members.annotate(is_read=is_read)
