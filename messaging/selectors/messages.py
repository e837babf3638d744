"""Reads of messages. A viewer reads the rooms that they are a member of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from accounts.selectors import cards
from core.errors import NotFound
from messaging import schemas
from messaging.models import Message
from rooms.models import Membership, Room
from rooms.selectors import find_room

MESSAGE_COLUMNS = (
    *("id", "room_id", "seq", "type", "content", "file_url", "sender_id", "reply_to_id", "reply_count"),
    *("forwarded_sender_id", "forwarded_at"),
    *("client_message_id", "edited_at", "deleted_at", "deleted_by", "pinned_at", "created_at"),
)


def messages_in(viewer: User, room_key: str) -> QuerySet[Message, Any]:
    """A room's messages, by their columns, for `show`. Raises NotFound."""
    room = find_room(viewer, room_key)
    return Message.objects.filter(room=room).values_list(*MESSAGE_COLUMNS, named=True)


def readable_messages(viewer: User) -> QuerySet[Message]:
    """All messages that the viewer may read: those of the rooms that they are in now."""
    return Message.objects.filter(room_id__in=Membership.active.filter(user=viewer).values("room_id"))


def replies_to(viewer: User, message_id: UUID) -> QuerySet[Message, Any]:
    """The messages that answer a message, by their columns, for `show`. Raises NotFound."""
    readable = readable_messages(viewer)
    if not readable.filter(id=message_id).exists():
        raise NotFound
    return readable.filter(reply_to_id=message_id).values_list(*MESSAGE_COLUMNS, named=True)


def get_message(viewer: User, message_id: UUID) -> schemas.Message:
    """A message in a room of the viewer's. Raises NotFound."""
    found = list(readable_messages(viewer).filter(id=message_id).values_list(*MESSAGE_COLUMNS, named=True))
    if not found:
        raise NotFound
    return show(viewer, found)[0]


def last_messages(viewer: User | None, rooms: Sequence[Room]) -> dict[UUID, schemas.Message]:
    """The last message of each of the rooms that has one, by room id. The caller has checked the rooms."""
    ids = [room.last_message_id for room in rooms if room.last_message_id]
    rows = Message.objects.filter(id__in=ids).values_list(*MESSAGE_COLUMNS, named=True) if ids else []
    return {message.room_id: message for message in show(viewer, list(rows))}


def show(viewer: User | None, rows: Sequence[Any]) -> list[schemas.Message]:
    """Messages that the viewer may see, of their columns; without a viewer, what is the same for everyone.

    What they are shown with is read once for all of them.
    """
    if not rows:
        return []
    ids = {row.reply_to_id for row in rows if row.reply_to_id}
    replied = (
        list(Message.objects.filter(id__in=ids).values_list(*MESSAGE_COLUMNS, named=True)) if ids else []
    )
    senders = {row.sender_id for row in (*rows, *replied)}
    senders |= {row.forwarded_sender_id for row in rows if row.forwarded_sender_id}
    parts = schemas.Parts(cards=cards(senders), replied={row.id: row for row in replied})
    return [schemas.message_of(row, parts) for row in rows]
