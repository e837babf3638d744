"""A stream as one process delivers it, and a connection's place in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime.connection import Connection


class Following:
    """A connection's place in a stream. While it is live, the place is the feed's own position.

    `from_ready`: it began at the head that `ready` told, and nothing has said otherwise since.
    """

    __slots__ = ("feed", "from_ready", "live", "place", "since")

    def __init__(self, feed: Feed, place: int, since: int, *, from_ready: bool) -> None:
        self.feed = feed
        self.place = place
        self.since = since
        self.from_ready = from_ready
        self.live = False


class Feed:
    """A stream as this process delivers it."""

    __slots__ = ("filling", "followers", "live", "name", "newest", "position", "subscribed")

    def __init__(self, name: str) -> None:
        self.name = name
        self.position = -1
        self.newest = -1  # the newest position that anyone told of
        self.subscribed = False
        self.live: set[Connection] = set()
        self.followers: dict[Connection, Following] = {}
        self.filling: asyncio.Task[None] | None = None
