"""Reads of pinned messages."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet

from accounts.models import User
from messaging.models import Message
from messaging.selectors.messages import messages_in


def pins_in(viewer: User, room_key: str) -> QuerySet[Message, Any]:
    """A room's pinned messages, by their columns, for `show`. Raises NotFound."""
    # The room twice: so the few pins are read, and not the many messages.
    return messages_in(viewer, room_key).filter(pin__room=F("room"))
