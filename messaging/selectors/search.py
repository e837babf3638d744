"""Messages by their words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet, Sum

from accounts.models import User
from core.ids import first_id_at
from core.pagination import Place
from messaging import schemas
from messaging.models import Message
from messaging.selectors.messages import MESSAGE_COLUMNS, readable_messages, show
from rooms.models import Membership
from rooms.selectors import find_room

FEW = 40_000
"""So many messages of the viewer's are read one and all: 2 µs each, by their rooms."""

WINDOW = 40_000
"""So many messages of everyone's are read at once: 0.7 µs each, in the order in which they are stored."""

SAMPLE = 1_000
RARE, FREQUENT = 0.01, 0.05
"""The index takes 4 µs for each message that has a word. It is worth that for words that no more than these shares of
a sample have: the first where the windows give something, the other where they give next to nothing."""

CLOCKS = 60
"""So many seconds an id and the time of its row may be apart."""


class Search:
    """The messages that a viewer may read and that have all of the terms, newest first.

    The terms are those of `terms_of`; without any nothing is found.

    Raises:
        NotFound: no such room.
    """

    def __init__(
        self,
        viewer: User,
        terms: Sequence[str],
        *,
        room_key: str = "",
        sender_id: UUID | None = None,
        before: datetime | None = None,
        after: datetime | None = None,
        has_file: bool | None = None,
    ) -> None:
        self._viewer, self._terms = viewer, terms
        self._room = find_room(viewer, room_key) if room_key else None
        self._sender_id = sender_id
        rows = readable_messages(viewer).filter(deleted_at=None)
        if self._room is not None:
            rows = rows.filter(room=self._room)
        if sender_id is not None:
            rows = rows.filter(sender_id=sender_id)
        # Ids begin with their time: those of another time need not be read.
        times = Q()
        if before is not None:
            rows = rows.filter(created_at__lt=before)
            times &= Q(id__lt=first_id_at(before, later=CLOCKS))
        if after is not None:
            rows = rows.filter(created_at__gt=after)
            times &= Q(id__gt=first_id_at(after, later=-CLOCKS))
        if has_file is not None:
            rows = rows.filter(file_url__isnull=not has_file)
        for term in terms:
            rows = rows.filter(words__contains=term)
        self._all = Message.objects.filter(times)
        rows = rows.filter(times) if terms else rows.none()
        # No more of them than their ids: to find and to sort whole messages takes longer.
        self.rows: QuerySet[Message, Any] = rows.values_list("id", named=True)

    def show(self, rows: Sequence[Any]) -> list[schemas.FoundMessage]:
        """Messages of `rows`, with what was found in them."""
        ids = [row.id for row in rows]
        messages = Message.objects.filter(id__in=ids).order_by("-id")
        shown = show(self._viewer, list(messages.values_list(*MESSAGE_COLUMNS, named=True)))
        found = (schemas.found_message(message, self._terms) for message in shown)
        return [message for message in found if message is not None]

    def find(self, rows: QuerySet[Message, Any], count: int, place: Place) -> Sequence[Any]:
        """The first so many of the ordered rows, for `Keyset.page`.

        SQLite reads everything, and so does MySQL where that is little. Otherwise what is frequent is found among
        the next messages, whoever's they are, and what is rare by the index; each takes seconds for the other.
        """
        if connection.vendor != "mysql" or not self._terms or self._has_little():
            return list(rows[:count])
        found: list[Any] = []
        begin = place.values and place.values[0]
        beyond, until = ("id__gt", "id__lte") if place.backwards else ("id__lt", "id__gte")
        everyones = self._all.order_by("id" if place.backwards else "-id")
        while True:
            ahead = everyones if begin is None else everyones.filter(**{beyond: begin})
            end = ahead.values_list("id", flat=True)[WINDOW : WINDOW + 1].first()
            window = rows if begin is None else rows.filter(**{beyond: begin})
            window = window if end is None else window.filter(**{until: end})
            found += window[: count - len(found)]
            if len(found) == count or end is None:
                return found
            if word := self._rare_word(ahead, most=RARE if len(found) > count // 5 else FREQUENT):
                rest = rows.filter(words__indexed=word, **{beyond: end})
                return [*found, *rest[: count - len(found)]]
            begin = end

    def _has_little(self) -> bool:
        if self._sender_id is not None:
            return True
        if self._room is not None:
            return self._room.last_seq <= FEW
        mine = Membership.active.filter(user=self._viewer)
        return (mine.aggregate(messages=Sum("room__last_seq"))["messages"] or 0) <= FEW

    def _rare_word(self, rows: QuerySet[Message], *, most: float) -> str | None:
        """The rarest word of the terms, as the index is asked for it; None if more than `most` of the rows have it."""
        sample = [f"{words} " for words in rows.values_list("words", flat=True)[:SAMPLE]]
        words: dict[str, str] = {}
        for term in self._terms:
            *whole, last = term.split()
            words |= {f" {word} ": word for word in whole} | {f" {last}": f"{last}*"}
        shares = {part: sum(part in text for text in sample) for part in words}
        rarest = min(words, key=lambda part: (shares[part], -len(part)))
        return words[rarest] if shares[rarest] <= most * len(sample) else None
