"""A stream as one process delivers it, and a connection's place in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime.connection import Connection


class Following:
    """A connection's place in a stream. While it is live, the place is the feed's own position."""

    __slots__ = ("feed", "live", "place", "since")

    def __init__(self, feed: Feed, place: int, since: int) -> None:
        self.feed = feed
        self.place = place
        self.since = since
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
