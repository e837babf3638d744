"""Messages. A row is never deleted: deletion leaves a tombstone that keeps its number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from core.fields import ExactCharField
from core.ids import new_id
from messaging.models.files import File
from messaging.models.words import WordsField, words_of
from rooms.models import Room


class Messages(models.QuerySet["Message"]):
    def update(self, **changes: Any) -> int:
        """With `content`, which has to be text here, its words change too."""
        if "content" in changes:
            changes["words"] = words_of(changes["content"])
        return super().update(**changes)


class Message(models.Model):
    """What someone said in a room.

    `seq` counts the room's messages 1, 2, 3, …; `pos` is the place of its event in the room's stream.
    `body_hash` tells a repeated send from another message under the same `client_message_id`, also
    after an edit.
    """

    class Type(models.TextChoices):
        TEXT = "text"
        IMAGE = "image"
        VIDEO = "video"
        AUDIO = "audio"
        FILE = "file"
        SYSTEM = "system"

    class DeletedBy(models.TextChoices):
        AUTHOR = "author"
        MODERATOR = "moderator"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="messages")
    seq = models.BigIntegerField()
    pos = models.BigIntegerField()
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="messages")
    type = models.CharField(max_length=8, choices=Type.choices, default=Type.TEXT)
    content = models.TextField(blank=True)
    # What it is found by. MySQL has a full-text index of it; SQLite reads it from end to end, which is as fast there.
    words = WordsField(editable=False)
    file_url = models.CharField(max_length=2048, null=True)  # noqa: DJ001 - null is what clients see
    # One message sends it, others may pass it on.
    file = models.ForeignKey(File, on_delete=models.SET_NULL, null=True, related_name="messages")
    reply_to = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="replies")
    reply_count = models.PositiveIntegerField(default=0)
    # Of all emoji together: a page without reactions is not asked for any.
    reaction_count = models.PositiveIntegerField(default=0, db_default=0)
    # Who said first what is forwarded here, and when. Nothing is looked up by them, so neither has an index.
    forwarded_sender = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    forwarded_at = models.DateTimeField(null=True)
    client_message_id = ExactCharField(max_length=64, null=True)
    body_hash = models.CharField(max_length=64)
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.CharField(max_length=9, choices=DeletedBy.choices, null=True)  # noqa: DJ001
    pinned_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    # No column: whom it mentions, while it is on its way to the log; the rows are `Mention`'s.
    mentioned: Sequence[UUID] = ()

    objects = Messages.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            # A room's history, by page; and no number twice.
            models.UniqueConstraint(fields=["room", "seq"], name="one_message_per_room_and_seq"),
            # A repeated send finds the first one. Unique columns take any number of nulls.
            models.UniqueConstraint(
                fields=["sender", "client_message_id"], name="one_message_per_sender_and_client_id"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq}"

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """With `content` its words are saved, too."""
        if update_fields is not None and "content" in (names := set(update_fields)):
            update_fields = names | {"words"}
        super().save(update_fields=update_fields, **options)
