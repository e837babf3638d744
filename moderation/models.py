"""What users report to the staff."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from core.ids import new_id


class Report(models.Model):
    """Someone's complaint about a user, a room or a message.

    `target_id` is no foreign key, and `evidence` is what the target was when it was reported: neither an edit,
    nor a deletion, nor an erased account takes anything from a report.
    """

    class TargetType(models.TextChoices):
        USER = "user"
        ROOM = "room"
        MESSAGE = "message"

    class State(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"
        DISMISSED = "dismissed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Without an index of its own: the constraint begins with this column.
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    target_type = models.CharField(max_length=7, choices=TargetType.choices)
    # Finds all that was reported of one target.
    target_id = models.UUIDField(db_index=True)
    reason = models.CharField(max_length=100)
    comment = models.TextField(blank=True)
    evidence = models.JSONField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    handled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            # A repeat finds the first one.
            models.UniqueConstraint(
                fields=["reporter", "target_type", "target_id"], name="one_report_per_reporter_and_target"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # The staff's list, by state, newest first.
            models.Index(fields=["state", "id"], name="report_state"),
        ]

    def __str__(self) -> str:
        return f"{self.target_type} {self.target_id}: {self.reason}"
