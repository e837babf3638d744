"""Pinned messages."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

import msgspec

from core.timestamps import Timestamp, rfc3339
from messaging import models


class MessageUnpinned(msgspec.Struct):
    """The `data` of `message.unpinned`."""

    message_id: UUID
    room_id: UUID
    seq: int
    by: UUID


class MessagePinned(MessageUnpinned):
    """The `data` of `message.pinned`."""

    pinned_at: Timestamp


def message_pinned(row: models.Message, *, by: UUID) -> MessagePinned:
    """A message that is pinned, and who did it."""
    return MessagePinned(row.id, row.room_id, row.seq, by, rfc3339(cast(datetime, row.pinned_at)))
