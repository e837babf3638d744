"""The server, broken on purpose: `python -m chaos.broken NAME` in place of `python -m chatproject.serve`.

A checker that can't fail proves nothing. Each breakage takes away one thing that a promise rests on, and
must be caught by the invariant of that promise. The product itself has no switch for any of them.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterable, Sequence
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")

import django

django.setup()

from channels.layers import InMemoryChannelLayer
from django.db import transaction

from chatproject import serve
from core.errors import ChatError
from eventlog.log import LoggedEvent
from messaging import services
from messaging.services import sending
from realtime.feed import Feed

RARELY = 0.05


def no_gap_fill() -> None:
    """Events are passed on as they come, holes and all. Caught by `every_step_is_one`."""
    _drop_rings()

    def take(self: Feed, events: Iterable[LoggedEvent]) -> None:
        for event in events:
            if event.pos > self.position:
                self._deliver(event)

    Feed.take = take  # type: ignore[method-assign]


def no_head_poll() -> None:
    """Nobody looks for what no ring told. Caught by `everyone_ends_complete`."""
    _drop_rings()
    Feed.look_for = lambda _feed, _head: None  # type: ignore[assignment, method-assign]


def ack_before_commit() -> None:
    """Now and then what was acknowledged is rolled back. Caught by `nothing_is_lost`."""
    send_messages = sending.send_messages

    def send(drafts: Sequence[services.Draft]) -> list[services.Sent | ChatError]:
        with transaction.atomic():
            outcomes = send_messages(drafts)
            transaction.set_rollback(random.random() < RARELY)
        return outcomes

    services.send_messages = send


def auto_increment_seq() -> None:
    """Numbers as AUTO_INCREMENT gives them: with gaps. Caught by `numbers_have_no_holes`."""
    next_message = sending._next_message

    def numbered(draft: Any, room: Any, membership: Any, reply_to: Any) -> Any:
        room.last_seq += random.random() < RARELY
        return next_message(draft, room, membership, reply_to)

    sending._next_message = numbered


def _drop_rings() -> None:
    """The layer loses one ring in five, as it may: by itself that must be invisible."""
    group_send = InMemoryChannelLayer.group_send

    async def lossy(self: InMemoryChannelLayer, group: str, message: dict[str, Any]) -> None:
        if random.random() > 0.2:
            await group_send(self, group, message)

    InMemoryChannelLayer.group_send = lossy


BREAKAGES = {
    "no_gap_fill": (no_gap_fill, "every_step_is_one"),
    "no_head_poll": (no_head_poll, "everyone_ends_complete"),
    "ack_before_commit": (ack_before_commit, "nothing_is_lost"),
    "auto_increment_seq": (auto_increment_seq, "numbers_have_no_holes"),
    "lossy_layer": (_drop_rings, None),
}
"""How to break it, and the invariant that catches it; None: the system must hold."""

if __name__ == "__main__":
    BREAKAGES[sys.argv[1]][0]()
    serve.main()
