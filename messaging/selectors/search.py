"""Messages by their words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from messaging import schemas
from messaging.models import Message
from messaging.selectors.messages import MESSAGE_COLUMNS, readable_messages, show
from rooms.selectors import find_room


def found_messages(
    viewer: User,
    terms: Sequence[str],
    *,
    room_key: str = "",
    sender_id: UUID | None = None,
    before: datetime | None = None,
    after: datetime | None = None,
    has_file: bool | None = None,
) -> QuerySet[Message, Any]:
    """The messages that the viewer may read and that have all of the terms, by their columns, for `show_found`.

    The terms are those of `terms_of`; without any nothing is found.

    Raises:
        NotFound: no such room.
    """
    rows = readable_messages(viewer).filter(deleted_at=None)
    if room_key:
        rows = rows.filter(room=find_room(viewer, room_key))
    if sender_id is not None:
        rows = rows.filter(sender_id=sender_id)
    if before is not None:
        rows = rows.filter(created_at__lt=before)
    if after is not None:
        rows = rows.filter(created_at__gt=after)
    if has_file is not None:
        rows = rows.filter(file_url__isnull=not has_file)
    for term in terms:
        rows = rows.filter(words__contains=term)
    return (rows if terms else rows.none()).values_list(*MESSAGE_COLUMNS, named=True)


def show_found(viewer: User, terms: Sequence[str], rows: Sequence[Any]) -> list[schemas.FoundMessage]:
    """Messages of `found_messages`, with what was found."""
    found = (schemas.found_message(message, terms) for message in show(viewer, rows))
    return [message for message in found if message is not None]
