"""What a fresh client shows."""

from __future__ import annotations

import msgspec

from accounts.schemas import Me
from rooms.schemas import RoomView


class Snapshot(msgspec.Struct):
    """What a fresh client shows, and the cursors from which it resumes: both of the same moment.

    `rooms` come in pages. `streams` has the streams of this page's rooms, and the user's own on the
    first page.
    """

    user: Me
    rooms: list[RoomView]
    streams: dict[str, int]
    unread_total: int
    next_cursor: str | None
