"""Append to streams and read them back.

A service locks the streams that it will write to first, before any other row: one lock order
everywhere (streams by id, then the rest) is what keeps deadlocks rare.

    streams = log.lock(user_stream(alice), user_stream(bob))
    ...                                   # read, decide, write
    streams.append(Draft(...), Draft(...))
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from core.rows import among, insert, pages, update
from core.timestamps import rfc3339
from eventlog.models import Event, Stream
from eventlog.signals import events_committed

EVERYONE = "*"

_NAMES_PER_QUERY = 500
_OBJECTS_PER_QUERY = 500
_FRAMES_PER_UPDATE = 100
_EVENTS_AT_ONCE = 500

_MOST_KNOWN = 100_000
_known_ids: dict[str, int] = {}


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An event before it has a place. `data` is what the frame's `data` will be (a struct or plain data).

    `shows_id` is an object besides `object_id` whose content is in `data`: `rewrite` finds the frame by either.
    """

    stream: str
    type: str
    data: Any
    actor_id: UUID | None = None
    object_id: UUID | None = None
    shows_id: UUID | None = None
    ends_for: str = ""
    opens: str = ""
    opens_after: int | None = None


class LoggedEvent(NamedTuple):
    """An event as subscribers need it. `frame` is the JSON text that goes on the wire."""

    stream: str
    pos: int
    type: str
    frame: str
    ends_for: str = ""
    opens: str = ""
    opens_after: int | None = None

    @property
    def steers(self) -> bool:
        """Whether it says who follows what from here on."""
        return bool(self.ends_for or self.opens)


class _Envelope(msgspec.Struct):
    type: str
    stream: str
    pos: int
    ts: str
    data: Any


def user_stream(user_id: UUID) -> str:
    """The stream of what concerns one user only."""
    return f"user:{user_id}"


def room_stream(room_id: UUID) -> str:
    """The stream that all members of a room follow."""
    return f"room:{room_id}"


def lock(*names: str, wait: bool = True) -> LockedStreams:
    """Lock these streams until the transaction ends, making those that are new.

    Must run inside a transaction, before other rows are written. With `wait=False` those that
    someone else has locked are left out.

    Raises:
        TransactionManagementError: there is no transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        # MySQL would say so itself; SQLite knows no row locks and would go on unprotected.
        raise transaction.TransactionManagementError("Lock streams inside a transaction.")
    ids = _ids(names)
    missing = [name for name in dict.fromkeys(names) if name not in ids]
    if missing:
        Stream.objects.bulk_create([Stream(name=name) for name in missing], ignore_conflicts=True)
        ids |= _ids(missing)
    # By id, not by name: InnoDB then takes the row locks in the order of the primary key.
    rows = Stream.objects.select_for_update(skip_locked=not wait).filter(id__in=ids.values()).order_by("id")
    locked = LockedStreams(rows)
    if wait and any(name not in locked for name in names):
        # A stream that was made by a transaction that was rolled back: its id is known, but of nothing.
        _known_ids.clear()
        return lock(*names)
    return locked


def _ids(names: Iterable[str]) -> dict[str, int]:
    """The ids of those streams that exist. They never change, so they are asked for once."""
    found = {name: id_ for name in names if (id_ := _known_ids.get(name)) is not None}
    if new := [name for name in names if name not in found]:
        if len(_known_ids) > _MOST_KNOWN:
            _known_ids.clear()
        rows = dict(Stream.objects.filter(name__in=new).values_list("name", "id"))
        _known_ids.update(rows)
        found |= rows
    return found


class LockedStreams:
    """Streams that this transaction may append to; `lock` makes them."""

    def __init__(self, rows: Iterable[Stream]) -> None:
        self._by_name = {row.name: row for row in rows}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def head(self, name: str) -> int:
        """The position of the stream's newest event, those of this transaction included."""
        return self._by_name[name].head

    def append(self, *drafts: Draft) -> list[LoggedEvent]:
        """Give the drafts their places, in order, and save them.

        Emits:
            events_committed: once the transaction has committed, and never if it rolls back.

        Raises:
            KeyError: a draft's stream was not locked.
        """
        if not drafts:
            return []
        now = timezone.now()
        # Counted apart: a draft that can't be written must not use up the places of those before it.
        heads = {draft.stream: self.head(draft.stream) for draft in drafts}
        rows = []
        for draft in drafts:
            heads[draft.stream] += 1
            rows.append(self._row(draft, pos=heads[draft.stream], now=now))
        self._save(heads)
        insert(rows)
        logged = [
            LoggedEvent(draft.stream, row.pos, row.type, row.frame, row.ends_for, row.opens, row.opens_after)
            for draft, row in zip(drafts, rows, strict=True)
        ]
        transaction.on_commit(lambda: events_committed.send_robust(sender=Event, events=logged))
        return logged

    def _row(self, draft: Draft, *, pos: int, now: datetime) -> Event:
        envelope = _Envelope(draft.type, draft.stream, pos, rfc3339(now), draft.data)
        return Event(
            stream_id=self._by_name[draft.stream].id,
            pos=pos,
            type=draft.type,
            actor_id=draft.actor_id,
            object_id=draft.object_id,
            shows_id=draft.shows_id,
            ends_for=draft.ends_for,
            opens=draft.opens,
            opens_after=draft.opens_after,
            frame=msgspec.json.encode(envelope).decode(),
            created_at=now,
        )

    def _save(self, heads: Mapping[str, int]) -> None:
        # The rows are locked, so what we counted is what is true.
        for name, head in heads.items():
            self._by_name[name].head = head
        update([self._by_name[name] for name in heads], "head")


def replay(name: str, *, after: int, limit: int) -> list[LoggedEvent]:
    """Up to `limit` events of a stream from `after` + 1 on, in order."""
    rows = Event.objects.filter(stream__name=name, pos__gt=after).order_by("pos")
    columns = rows.values_list("pos", "type", "frame", "ends_for", "opens", "opens_after")
    return [LoggedEvent(name, *row) for row in columns[:limit]]


def rewrite(object_ids: Collection[UUID], change: Callable[[Any], Any]) -> None:
    """Change what kept frames say: of the events about these objects, and of those that show them.

    `change` gets a frame's `data`, decoded, and returns what takes its place. Type, place and time of an event
    stay as they are, and who has got the old frame keeps it. Must run inside a transaction that lets nobody else
    append a frame with these objects.
    """
    ids = list(object_ids)
    for start in range(0, len(ids), _OBJECTS_PER_QUERY):
        part = ids[start : start + _OBJECTS_PER_QUERY]
        # One after the other: with OR between them MySQL uses neither index.
        for about in ({"object_id__in": part}, {"shows_id__in": part}):
            _rewrite(Event.objects.filter(**about), change)


def rewrite_all_about(object_id: UUID, change: Callable[[Any], Any]) -> None:
    """`rewrite` of the events about one object, however many, some at a time.

    Must run outside a transaction, and where nobody else rewrites these frames or appends others.
    """
    for page in pages(Event.objects.filter(object_id=object_id), _EVENTS_AT_ONCE):
        _rewrite(page, change)


def changed(shown: Any, object_id: str, changes: Mapping[str, Any]) -> Any:
    """What a frame shows, with an object of it changed, wherever it is: those of the keys that it has there."""
    if isinstance(shown, list):
        return [changed(item, object_id, changes) for item in shown]
    if not isinstance(shown, dict):
        return shown
    left = {key: changed(value, object_id, changes) for key, value in shown.items()}
    if left.get("id") == object_id:
        left |= {key: changes[key] for key in changes.keys() & left.keys()}
    return left


def _rewrite(events: Iterable[Event], change: Callable[[Any], Any]) -> None:
    frames: dict[tuple[int, int], str] = {}
    for event in events:
        envelope = msgspec.json.decode(event.frame, type=_Envelope)
        rewritten = msgspec.structs.replace(envelope, data=change(envelope.data))
        if (text := msgspec.json.encode(rewritten).decode()) != event.frame:
            frames[event.stream_id, event.pos] = text
    keys = list(frames)
    for start in range(0, len(keys), _FRAMES_PER_UPDATE):
        part = keys[start : start + _FRAMES_PER_UPDATE]
        steps = (When(stream=stream, pos=pos, then=Value(frames[stream, pos])) for stream, pos in part)
        among(Event.objects.all(), ("stream", "pos"), part).update(frame=Case(*steps))


def heads(names: Sequence[str]) -> dict[str, int]:
    """The heads of those of the named streams that exist; one query per 500 names."""
    found: dict[str, int] = {}
    for start in range(0, len(names), _NAMES_PER_QUERY):
        part = names[start : start + _NAMES_PER_QUERY]
        found.update(Stream.objects.filter(name__in=part).values_list("name", "head"))
    return found
