"""Reads of messages. A viewer reads the rooms that they are a member of: from the start, or from joining on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from accounts.models import User
from accounts.schemas import CARD_COLUMNS, UserCard, card_of
from core.errors import NotFound
from messaging import schemas
from messaging.models import Message
from messaging.selectors.parts import cards_of, files_by_id, mentions_of, reactions_to
from rooms.models import Room
from rooms.selectors import find_room_to_read

_CARD = CARD_COLUMNS[1:]
MESSAGE_COLUMNS = (
    *("id", "room_id", "seq", "type", "content", "file_url", "file_id", "sender_id", "reply_to_id"),
    *("reply_count", "reaction_count", "forwarded_sender_id", "forwarded_at"),
    *("client_message_id", "edited_at", "deleted_at", "deleted_by", "pinned_at", "created_at"),
    # What a card needs besides the id, last: a join costs less than a statement more.
    *(f"sender__{name}" for name in _CARD),
)


def messages_in(viewer: User, room_key: str) -> QuerySet[Message, Any]:
    """What the viewer may read of a room, by the messages' columns, for `show`. Raises NotFound."""
    room_id, reads_after = find_room_to_read(viewer, room_key)
    return Message.objects.filter(room_id=room_id, seq__gt=reads_after).values_list(
        *MESSAGE_COLUMNS, named=True
    )


def readable_messages(viewer: User) -> QuerySet[Message]:
    """All messages that the viewer may read: those of the rooms that they are in now, as far back as they may."""
    return Message.objects.filter(
        room__memberships__user=viewer,
        room__memberships__left_pos=None,
        room__memberships__reads_after__lt=F("seq"),
    )


def replies_to(viewer: User, message_id: UUID) -> QuerySet[Message, Any]:
    """The messages that answer a message, by their columns, for `show`. Raises NotFound.

    Without those that are deleted, which its `reply_count` does not count either.
    """
    readable = readable_messages(viewer)
    if not readable.filter(id=message_id).exists():
        raise NotFound
    return readable.filter(reply_to_id=message_id, deleted_at=None).values_list(*MESSAGE_COLUMNS, named=True)


def get_message(viewer: User, message_id: UUID) -> schemas.Message:
    """A message in a room of the viewer's. Raises NotFound."""
    found = list(readable_messages(viewer).filter(id=message_id).values_list(*MESSAGE_COLUMNS, named=True))
    if not found:
        raise NotFound
    return show(viewer, found)[0]


def get_sent_message(sender: User, message_id: UUID) -> schemas.Message:
    """What the sender has sent, also to where they can't read it any more: the answer to a repeat."""
    rows = Message.objects.filter(id=message_id, sender=sender).values_list(*MESSAGE_COLUMNS, named=True)
    return show(sender, list(rows))[0]


def last_messages(viewer: User | None, rooms: Sequence[Room]) -> dict[UUID, schemas.Message]:
    """The last message of each of the rooms that has one which the viewer may read, by room id.

    Without a viewer, of each that has one: the caller knows who will see it.
    """
    ids = [room.last_message_id for room in rooms if room.last_message_id]
    if not ids:
        return {}
    readable = readable_messages(viewer) if viewer else Message.objects.all()
    rows = readable.filter(id__in=ids).values_list(*MESSAGE_COLUMNS, named=True)
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
    parts = schemas.Parts(
        cards=_cards(rows, replied),
        replied={row.id: row for row in replied},
        files=files_by_id({row.file_id for row in rows if row.file_id}),
        mentions=mentions_of([row.id for row in rows if "@" in row.content]),
        reactions=reactions_to(viewer, [row.id for row in rows if row.reaction_count]),
    )
    return [schemas.message_of(row, parts) for row in rows]


def _cards(rows: Sequence[Any], replied: Sequence[Any]) -> dict[UUID, UserCard]:
    """The cards of all senders, of what is forwarded, too: those are asked for only where something is."""
    cards: dict[UUID, UserCard] = {}
    for row in (*rows, *replied):
        if row.sender_id not in cards:
            cards[row.sender_id] = card_of(row.sender_id, *row[-len(_CARD) :])
    forwarded = {row.forwarded_sender_id for row in rows if row.forwarded_sender_id}
    return cards | cards_of(forwarded - cards.keys())
