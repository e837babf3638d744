"""What a user has sent, in their export. Of others' messages it has the ids: what they said is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from core.timestamps import Timestamp, rfc3339
from messaging import models


class ExportedMessage(msgspec.Struct):
    """A message of the user's; `reply_to` is the id of what it answers, `forwarded_from` who said first what it passes on."""

    id: UUID
    room_id: UUID
    seq: int
    type: str
    content: str
    file_url: str | None
    file_id: UUID | None
    reply_to: UUID | None
    forwarded_from: UUID | None
    client_message_id: str | None
    created_at: Timestamp
    edited_at: Timestamp | None
    deleted_at: Timestamp | None


class ExportedRevision(msgspec.Struct):
    """What a message of the user's said until `edited_at`."""

    message_id: UUID
    content: str
    edited_at: Timestamp


class ExportedReaction(msgspec.Struct):
    """How the user reacted to a message."""

    message_id: UUID
    emoji: str
    created_at: Timestamp


class ExportedFile(msgspec.Struct):
    """A file of the user's, and the message that has it."""

    id: UUID
    name: str
    content_type: str
    size: int
    created_at: Timestamp
    message_id: UUID | None


def exported_messages(rows: Sequence[models.Message]) -> list[ExportedMessage]:
    return [
        ExportedMessage(
            id=row.id,
            room_id=row.room_id,
            seq=row.seq,
            type=row.type,
            content=row.content,
            file_url=row.file_url,
            file_id=row.file_id,
            reply_to=row.reply_to_id,
            forwarded_from=row.forwarded_sender_id,
            client_message_id=row.client_message_id,
            created_at=rfc3339(row.created_at),
            edited_at=rfc3339(row.edited_at),
            deleted_at=rfc3339(row.deleted_at),
        )
        for row in rows
    ]


def exported_revisions(rows: Sequence[models.Revision]) -> list[ExportedRevision]:
    return [ExportedRevision(row.message_id, row.content, rfc3339(row.edited_at)) for row in rows]


def exported_reactions(rows: Sequence[models.Reaction]) -> list[ExportedReaction]:
    return [ExportedReaction(row.message_id, row.emoji, rfc3339(row.created_at)) for row in rows]


def exported_files(rows: Sequence[models.File]) -> list[ExportedFile]:
    """One user's files; those of whose messages have them is asked for all of them at once."""
    uploaders = {row.uploader_id for row in rows}
    sent = models.Message.objects.filter(file__in=rows, sender__in=uploaders).order_by("-id")
    # The first one that had it, if the user has passed it on since.
    messages = dict(sent.values_list("file_id", "id"))
    return [
        ExportedFile(
            id=row.id,
            name=row.name,
            content_type=row.content_type,
            size=row.size,
            created_at=rfc3339(row.created_at),
            message_id=messages.get(row.id),
        )
        for row in rows
    ]
