"""Reads of messages. A viewer reads the rooms that they are a member of."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from core.errors import NotFound
from messaging import schemas
from messaging.models import Message
from rooms.models import Membership, Room
from rooms.selectors import find_room


def shown() -> QuerySet[Message]:
    """Messages with all that their schema needs."""
    return Message.objects.select_related("sender", "reply_to__sender")


def messages_in(viewer: User, room_key: str) -> QuerySet[Message]:
    """A room's messages. Raises NotFound."""
    return shown().filter(room=find_room(viewer, room_key))


def get_message(viewer: User, message_id: UUID) -> Message:
    """A message in a room of the viewer's. Raises NotFound."""
    mine = Membership.active.filter(user=viewer).values("room_id")
    message = shown().filter(id=message_id, room_id__in=mine).first()
    if message is None:
        raise NotFound
    return message


def last_messages(viewer: User, rooms: Sequence[Room]) -> dict[UUID, schemas.Message]:
    """The last message of each of the rooms that has one, by room id. The caller has checked the rooms."""
    ids = [room.last_message_id for room in rooms if room.last_message_id]
    return {row.room_id: schemas.message(row) for row in shown().filter(id__in=ids)} if ids else {}
