"""Reads of messages. A viewer reads the rooms that they are a member of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from accounts.selectors import cards
from core.errors import NotFound
from messaging import schemas
from messaging.models import File, Message
from rooms.models import Membership, Room
from rooms.selectors import find_room

_COLUMNS = (
    *("id", "room_id", "seq", "type", "content", "file_url", "file_id", "sender_id", "reply_to_id"),
    *("reply_count", "client_message_id", "edited_at", "deleted_at", "deleted_by", "pinned_at", "created_at"),
)


def messages_in(viewer: User, room_key: str) -> QuerySet[Message, Any]:
    """A room's messages, by their columns, for `show`. Raises NotFound."""
    room = find_room(viewer, room_key)
    return Message.objects.filter(room=room).values_list(*_COLUMNS, named=True)


def readable_messages(viewer: User) -> QuerySet[Message]:
    """All messages that the viewer may read: those of the rooms that they are in now."""
    return Message.objects.filter(room_id__in=Membership.active.filter(user=viewer).values("room_id"))


def get_message(viewer: User, message_id: UUID) -> schemas.Message:
    """A message in a room of the viewer's. Raises NotFound."""
    found = list(readable_messages(viewer).filter(id=message_id).values_list(*_COLUMNS, named=True))
    if not found:
        raise NotFound
    return show(viewer, found)[0]


def last_messages(viewer: User | None, rooms: Sequence[Room]) -> dict[UUID, schemas.Message]:
    """The last message of each of the rooms that has one, by room id. The caller has checked the rooms."""
    ids = [room.last_message_id for room in rooms if room.last_message_id]
    rows = Message.objects.filter(id__in=ids).values_list(*_COLUMNS, named=True) if ids else []
    return {message.room_id: message for message in show(viewer, list(rows))}


def show(viewer: User | None, rows: Sequence[Any]) -> list[schemas.Message]:
    """Messages that the viewer may see, of their columns; without a viewer, what is the same for everyone.

    What they are shown with is read once for all of them.
    """
    if not rows:
        return []
    ids = {row.reply_to_id for row in rows if row.reply_to_id}
    replied = list(Message.objects.filter(id__in=ids).values_list(*_COLUMNS, named=True)) if ids else []
    parts = schemas.Parts(
        cards=cards({row.sender_id for row in (*rows, *replied)}),
        replied={row.id: row for row in replied},
        files=_files({row.file_id for row in rows if row.file_id}),
    )
    return [schemas.message_of(row, parts) for row in rows]


def _files(file_ids: Collection[UUID]) -> dict[UUID, schemas.File]:
    if not file_ids:
        return {}
    rows = File.objects.filter(id__in=file_ids).values_list(*schemas.FILE_COLUMNS, named=True)
    return {row.id: schemas.file(row) for row in rows}
