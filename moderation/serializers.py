"""Request bodies of the REST door."""

from __future__ import annotations

from core.serializers import ChoiceField, IdField, NameField, StrictSerializer, TextField
from moderation.models import Report


class NewReport(StrictSerializer):
    target_type = ChoiceField(choices=Report.TargetType.values)
    target_id = IdField()
    reason = NameField(max_length=100, help_text="In a word or a few: spam, harassment, …")
    comment = TextField(max_length=2_000, allow_blank=True, default="")
