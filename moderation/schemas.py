"""A report as its reporter sees it, and what is kept of its target."""

from __future__ import annotations

from typing import Literal, cast
from uuid import UUID

import msgspec

from core.timestamps import Timestamp, rfc3339
from moderation import models

TargetType = Literal["user", "room", "message"]


class Report(msgspec.Struct):
    """What the caller has reported. `state` is what has become of it."""

    id: UUID
    target_type: TargetType
    target_id: UUID
    reason: str
    comment: str
    state: Literal["open", "resolved", "dismissed"]
    created_at: Timestamp


def report(row: models.Report) -> Report:
    return Report(
        id=row.id,
        target_type=cast(TargetType, row.target_type),
        target_id=row.target_id,
        reason=row.reason,
        comment=row.comment,
        state=cast("Literal['open', 'resolved', 'dismissed']", row.state),
        created_at=rfc3339(row.created_at),
    )
