"""Edits of messages."""

from __future__ import annotations

from uuid import UUID

import msgspec

from core.pagination import Page
from core.timestamps import Timestamp, rfc3339
from messaging import models


class MessageUpdated(msgspec.Struct):
    """The `data` of `message.updated`, and of the `ack` of `message.edit`."""

    id: UUID
    room_id: UUID
    seq: int
    content: str
    mentions: list[UUID]
    edited_at: Timestamp | None


class Revision(msgspec.Struct):
    """What a message said until `edited_at`."""

    content: str
    edited_at: Timestamp


class RevisionPage(Page[Revision]):
    """A page of a message's edits."""


def message_updated(row: models.Message) -> MessageUpdated:
    """What a message says now; needs its `mentioned`."""
    return MessageUpdated(
        id=row.id,
        room_id=row.room_id,
        seq=row.seq,
        content=row.content,
        mentions=list(row.mentioned),
        edited_at=rfc3339(row.edited_at),
    )


def revision(row: models.Revision) -> Revision:
    return Revision(content=row.content, edited_at=rfc3339(row.edited_at))
