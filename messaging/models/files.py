"""Files: what people upload, to send it in a message."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from core.fields import ExactCharField
from core.ids import new_id


class File(models.Model):
    """A file of `uploader`'s, kept in the store of attachments as `stored_as`.

    The row is there before the file is, so that nothing in the store is ever unknown here: `completed_at` says
    that all of it has come. `unsent_since` is null once a message has it; others are those that pass it on.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=150)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    duration = models.FloatField(null=True)
    stored_as = ExactCharField(max_length=100, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True)
    unsent_since = models.DateTimeField(null=True, default=timezone.now)

    class Meta:
        indexes: ClassVar[list[Any]] = [
            # What was never sent, oldest first, for collect_orphans.
            models.Index(fields=["unsent_since", "id"], name="file_unsent")
        ]

    def __str__(self) -> str:
        return str(self.id)
