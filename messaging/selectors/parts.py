"""Reads of what messages are shown with, for all of a page at once. The caller has checked the messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from messaging.models import Mention


def mentions_of(message_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Whom each of the messages mentions that mention someone, by id."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    if message_ids:
        rows = Mention.objects.filter(message__in=message_ids).values_list("message_id", "user_id")
        for message_id, user_id in rows:
            found[message_id].append(user_id)
    # Here, since databases put UUIDs into orders of their own.
    return {message_id: sorted(user_ids) for message_id, user_ids in found.items()}
