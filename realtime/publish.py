"""The synchronous door to live delivery, for services and receivers in any thread.

Nothing here is kept: what must not be lost is an event in the log, and this only rings the bell.
In a process without a hub (a management command) the ring is left out; the other processes' look
at the heads finds the events within HEAD_POLL_SECONDS.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from core.timestamps import rfc3339
from eventlog.log import LoggedEvent, user_stream
from realtime import hub, presence, protocol
from realtime.close_codes import CloseCode


class Lapse(NamedTuple):
    """What ends an ephemeral: after `seconds` the same frame with `data`; None only forgets the one before."""

    key: str
    seconds: float
    data: Any


def ring(events: Iterable[LoggedEvent]) -> None:
    """Tell every process of new events, with the ready frames: one layer message per stream."""
    for stream, group in groupby(sorted(events, key=lambda e: (e.stream, e.pos)), key=lambda e: e.stream):
        hub.post(stream, {"type": "events", "stream": stream, "events": [list(e[1:]) for e in group]})


def send_ephemeral(
    stream: str,
    type_: str,
    data: Any,
    *,
    not_to: Collection[UUID] = (),
    only_to: UUID | None = None,
    lapse: Lapse | None = None,
) -> None:
    """Send a frame that is not kept (typing, read) to those who follow `stream` now, the users `not_to` left out.

    With `only_to` it is for one of them alone. With `lapse` it is taken back by itself, unless this process sends
    another one under the same key.
    """
    message = _ephemeral(stream, type_, data, not_to)
    if only_to:
        # Nobody else follows that one; the frame still names the stream that it is about.
        message["stream"] = user_stream(only_to)
    hub.post(message["stream"], message)
    if lapse:
        undo = None if lapse.data is None else _ephemeral(stream, type_, lapse.data, not_to)
        hub.post_later(lapse.key, lapse.seconds, stream, undo)


def _ephemeral(stream: str, type_: str, data: Any, not_to: Collection[UUID]) -> dict[str, Any]:
    frame = protocol.encode(protocol.Frame(type_, stream=stream, ts=rfc3339(timezone.now()), data=data))
    return {"type": "ephemeral", "stream": stream, "frame": frame, "not_to": [str(id_) for id_ in not_to]}


def switch_presence(user_id: UUID, *, before: str, last_seen_at: datetime | None) -> None:
    """Tell those around the user who see their presence no more, or only now; `before` is the setting that is over."""
    message = {
        "type": "presence.switched",
        "stream": presence.STREAM,
        "user": str(user_id),
        "before": before,
        "last_seen_at": rfc3339(last_seen_at),
    }
    hub.post(presence.STREAM, message)


def end_connections(user_id: UUID, *, session_ids: Collection[UUID] | None, code: CloseCode) -> None:
    """Close the user's sockets on every process: those of the named sessions, or all (None)."""
    sessions = None if session_ids is None else [str(session_id) for session_id in session_ids]
    stream = user_stream(user_id)
    message = {"type": "end", "stream": stream, "user": str(user_id), "sessions": sessions, "code": int(code)}
    hub.post(stream, message)
