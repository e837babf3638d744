"""Messages as clients see them: the same object in REST answers and in frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

from accounts.schemas import UserCard, user_card
from core.pagination import Page
from core.timestamps import Timestamp, rfc3339
from messaging.models import Message as MessageRow
from messaging.schemas.files import File, file

EXCERPT_LENGTH = 120

DeletedBy = Literal["author", "moderator"]


class ReplyPreview(msgspec.Struct):
    """The message that a reply answers, as far as a client shows it above the reply."""

    id: UUID
    seq: int
    sender: UserCard
    excerpt: str


class Forwarded(msgspec.Struct):
    """Who said first what is forwarded, and when."""

    sender: UserCard
    created_at: Timestamp


class Reaction(msgspec.Struct):
    """How many have reacted with an emoji. `me`: the viewer has; frames, which are everyone's, are without it."""

    emoji: str
    count: int
    me: bool | msgspec.UnsetType = msgspec.UNSET


class Message(msgspec.Struct):
    """A message. A deleted one keeps its `seq`, with `content` "" and `deleted_at`."""

    id: UUID
    room_id: UUID
    seq: int
    type: Literal["text", "image", "video", "audio", "file", "system"]
    content: str
    file_url: str | None
    file: File | None
    sender: UserCard
    reply_to: ReplyPreview | None
    reply_count: int
    forwarded: Forwarded | None
    mentions: list[UUID]
    reactions: list[Reaction]
    client_message_id: str | None
    edited_at: Timestamp | None
    deleted_at: Timestamp | None
    deleted_by: DeletedBy | None
    pinned_at: Timestamp | None
    created_at: Timestamp


class MessagePage(Page[Message]):
    """A page of a room's history."""


class RoomMessage(Message):
    """The `data` of a `message` frame: a client may know the room by its slug."""

    room_slug: str | None


class SentMessage(msgspec.Struct):
    """The `data` of the `ack` of a `message` frame."""

    message_id: UUID
    room_id: UUID
    seq: int
    pos: int
    client_message_id: str | None
    created_at: Timestamp
    duplicate: bool


class Parts(msgspec.Struct):
    """What messages are shown with, besides their own columns: read once for all of a page.

    `cards` of all senders, also of what is forwarded, the columns of each message that one of them answers, and the
    files, by id. `mentions` and `reactions` of those messages that have some, in order.
    """

    cards: Mapping[UUID, UserCard]
    replied: Mapping[UUID, Any]
    files: Mapping[UUID, File]
    mentions: Mapping[UUID, Sequence[UUID]]
    reactions: Mapping[UUID, Sequence[Reaction]]


def message(row: MessageRow) -> Message:
    """A message that has just been sent; needs the row with its senders, `reply_to__sender` and `file`."""
    return message_of(row, _loaded(row))


def message_of(row: Any, parts: Parts) -> Message:
    """A message; needs its columns."""
    return Message(**_fields(row, parts))


def room_message(row: MessageRow) -> RoomMessage:
    """A message for a frame; needs `room` as well."""
    return RoomMessage(**_fields(row, _loaded(row)), room_slug=row.room.slug)


def sent_message(row: MessageRow, *, duplicate: bool) -> SentMessage:
    """The acknowledgement of a message."""
    return SentMessage(
        message_id=row.id,
        room_id=row.room_id,
        seq=row.seq,
        pos=row.pos,
        client_message_id=row.client_message_id,
        created_at=rfc3339(row.created_at),
        duplicate=duplicate,
    )


def _loaded(row: MessageRow) -> Parts:
    rows = [row, row.reply_to] if row.reply_to else [row]
    known = {one.sender_id: user_card(one.sender) for one in rows}
    if row.forwarded_sender:
        known[row.forwarded_sender.id] = user_card(row.forwarded_sender)
    return Parts(
        cards=known,
        replied={one.id: one for one in rows},
        files={row.file.id: file(row.file)} if row.file else {},
        mentions={row.id: row.mentioned},
        reactions={},
    )


def _fields(row: Any, parts: Parts) -> dict[str, Any]:
    return {
        "id": row.id,
        "room_id": row.room_id,
        "seq": row.seq,
        "type": row.type,
        "content": row.content,
        "file_url": row.file_url,
        "file": parts.files.get(row.file_id),
        "sender": parts.cards[row.sender_id],
        "reply_to": _reply_preview(parts.replied[row.reply_to_id], parts.cards) if row.reply_to_id else None,
        "reply_count": row.reply_count,
        "forwarded": _forwarded(row, parts.cards) if row.forwarded_sender_id else None,
        "mentions": list(parts.mentions.get(row.id, ())),
        "reactions": list(parts.reactions.get(row.id, ())),
        "client_message_id": row.client_message_id,
        "edited_at": rfc3339(row.edited_at),
        "deleted_at": rfc3339(row.deleted_at),
        "deleted_by": row.deleted_by,
        "pinned_at": rfc3339(row.pinned_at),
        "created_at": rfc3339(row.created_at),
    }


def _forwarded(row: Any, cards: Mapping[UUID, UserCard]) -> Forwarded:
    return Forwarded(cards[row.forwarded_sender_id], rfc3339(row.forwarded_at))


def _reply_preview(row: Any, cards: Mapping[UUID, UserCard]) -> ReplyPreview:
    return ReplyPreview(row.id, row.seq, cards[row.sender_id], row.content[:EXCERPT_LENGTH])
