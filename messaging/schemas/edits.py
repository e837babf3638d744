"""What becomes of messages after they were sent: edits and deletion."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

import msgspec

from core.pagination import Page
from core.timestamps import Timestamp, rfc3339
from messaging import models
from messaging.schemas.messages import DeletedBy


class MessageUpdated(msgspec.Struct):
    """The `data` of `message.updated`, and of the `ack` of `message.edit`."""

    id: UUID
    room_id: UUID
    seq: int
    content: str
    mentions: list[UUID]
    edited_at: Timestamp | None


class MessageDeleted(msgspec.Struct):
    """The `data` of `message.deleted`, and of the `ack` of `message.delete`."""

    id: UUID
    room_id: UUID
    seq: int
    deleted_by: DeletedBy
    deleted_at: Timestamp


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


def message_deleted(row: models.Message) -> MessageDeleted:
    """A message that is deleted."""
    return MessageDeleted(
        id=row.id,
        room_id=row.room_id,
        seq=row.seq,
        deleted_by=cast(DeletedBy, row.deleted_by),
        deleted_at=rfc3339(cast(datetime, row.deleted_at)),
    )


def revision(row: models.Revision) -> Revision:
    return Revision(content=row.content, edited_at=rfc3339(row.edited_at))
