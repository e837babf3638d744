"""What messages said before they were edited."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from messaging.models.messages import Message


class Revision(models.Model):
    """An earlier content of a message; `edited_at` is when an edit took its place."""

    # Without an index of its own: that in Meta begins with this column.
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="revisions", db_index=False)
    content = models.TextField(blank=True)
    edited_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # The edits of a message, newest first.
            models.Index(fields=["message", "edited_at", "id"], name="revision_message_edited"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} until {self.edited_at}"
