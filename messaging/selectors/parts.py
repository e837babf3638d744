"""Reads of what messages are shown with, for all of a page at once. The caller has checked the messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from msgspec import UNSET

from accounts.models import User
from accounts.schemas import CARD_COLUMNS, UserCard, card_of
from messaging import schemas
from messaging.models import File, Mention, Reaction


def files_by_id(file_ids: Collection[UUID]) -> dict[UUID, schemas.File]:
    """The files of messages that have some."""
    if not file_ids:
        return {}
    rows = File.objects.filter(id__in=file_ids).values_list(*schemas.FILE_COLUMNS, named=True)
    return {row.id: schemas.file(row) for row in rows}


def cards_of(user_ids: Collection[UUID]) -> dict[UUID, UserCard]:
    """The cards of the users, by id."""
    rows = User.objects.filter(id__in=user_ids).values_list(*CARD_COLUMNS) if user_ids else []
    return {row[0]: card_of(*row) for row in rows}


def mentions_of(message_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Whom each of the messages mentions that mention someone, by id."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    if message_ids:
        rows = Mention.objects.filter(message__in=message_ids).values_list("message_id", "user_id")
        for message_id, user_id in rows:
            found[message_id].append(user_id)
    # Here, since databases put UUIDs into orders of their own.
    return {message_id: sorted(user_ids) for message_id, user_ids in found.items()}


def reactions_to(viewer: User | None, message_ids: Collection[UUID]) -> dict[UUID, list[schemas.Reaction]]:
    """The reactions to each of the messages that have some, by emoji; `me` only with a viewer."""
    if not message_ids:
        return {}
    by_emoji: Any = Reaction.objects.filter(message__in=message_ids).values_list("message_id", "emoji")
    rows = by_emoji.annotate(Count("user_id"), mine=Count("user_id", filter=Q(user=viewer)))
    found: dict[UUID, list[schemas.Reaction]] = defaultdict(list)
    for message_id, emoji, count, mine in sorted(rows, key=itemgetter(1)):
        me = UNSET if viewer is None else mine > 0
        found[message_id].append(schemas.Reaction(emoji, count, me))
    return found
