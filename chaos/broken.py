"""Breakages: the server without one thing that a promise rests on.

A checker that can't fail proves nothing: each breakage must be caught by the invariant of that
promise. The product itself has no switch for any of them; `python -m chaos.server NAME` installs one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction

from core.errors import ChatError
from eventlog.log import LockedStreams, LoggedEvent
from messaging import events, services
from messaging.models import Message
from messaging.services import sending
from realtime.feed import Feed
from realtime.hub import Hub
from realtime.roster import Roster

RARELY = 0.05


class Breakage(NamedTuple):
    """How to break it, the invariant that catches it, and the faults that bring it to light."""

    install: Callable[[], None]
    caught_by: str
    faults: tuple[str, ...]


def no_gap_fill() -> None:
    """Events are passed on as they come, holes and all."""

    def take(self: Feed, events: Iterable[LoggedEvent]) -> None:
        for event in events:
            if event.pos > self.position:
                self.position = event.pos - 1
                self._deliver([event])

    Feed.take = take  # type: ignore[method-assign]


def no_head_poll() -> None:
    """Nobody looks for what no ring told."""
    Feed.look_for = lambda _feed, _head: None  # type: ignore[assignment, method-assign]


def ack_before_commit() -> None:
    """Now and then what was acknowledged is rolled back."""
    send_messages = services.send_messages

    def send(drafts: Sequence[services.Draft], *, wait: bool = True) -> list[services.Sent | ChatError]:
        with transaction.atomic():
            outcomes = send_messages(drafts, wait=wait)
            transaction.set_rollback(random.random() < RARELY)
        return outcomes

    services.send_messages = send


def auto_increment_seq() -> None:
    """Numbers as AUTO_INCREMENT gives them: with gaps."""
    next_message = sending._next_message

    def numbered(draft: Any, room: Any, *rest: Any, **named: Any) -> Any:
        room.last_seq += random.random() < RARELY
        return next_message(draft, room, *rest, **named)

    sending._next_message = numbered


def no_unique() -> None:
    """Nobody asks whether a message is a repeat, the database least of all."""
    sending._saved_before = lambda drafts: {}  # noqa: ARG005
    constraints = list(Message._meta.constraints)
    (constraint,) = [one for one in constraints if "client_message_id" in getattr(one, "fields", ())]
    # SQLite makes the table anew, from what the model says.
    Message._meta.constraints = [one for one in constraints if one is not constraint]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Message, constraint)


def drop_outbox() -> None:
    """Now and then a message is saved, and its event is not."""
    messages_sent = events.messages_sent

    def announce(streams: LockedStreams, messages: Sequence[Message]) -> list[LoggedEvent]:
        told = [message for message in messages if random.random() > RARELY]
        logged = iter(messages_sent(streams, told))
        nothing = LoggedEvent("", 0, "message", "")
        return [next(logged) if message in told else nothing for message in messages]

    events.messages_sent = announce


def no_revoke() -> None:
    """Who was put out, or shut out, goes on listening."""
    steer = Hub._steer

    def blind(self: Hub, connection: Any, following: Any, event: LoggedEvent) -> None:
        steer(self, connection, following, event._replace(ends_for=""))

    Hub._steer = blind  # type: ignore[method-assign]
    Roster.end = lambda *_: None  # type: ignore[method-assign]


BREAKAGES = {
    "no_gap_fill": Breakage(no_gap_fill, "every_step_is_one", ("lossy layer",)),
    "no_head_poll": Breakage(no_head_poll, "everyone_ends_complete", ("lossy layer",)),
    "ack_before_commit": Breakage(ack_before_commit, "nothing_is_lost", ()),
    "auto_increment_seq": Breakage(auto_increment_seq, "numbers_have_no_holes", ()),
    "no_unique": Breakage(no_unique, "nothing_is_doubled", ("links reset",)),
    "drop_outbox": Breakage(drop_outbox, "live_is_history", ()),
    "no_revoke": Breakage(no_revoke, "nothing_after_a_removal", ("members removed",)),
}
