"""What tells how far someone has read or received, and who types."""

from __future__ import annotations

from uuid import UUID

import msgspec


class ReadMarker(msgspec.Struct):
    """How far the caller has read a room."""

    last_read_seq: int
    unread_count: int


class Receipt(msgspec.Struct):
    """The `data` of a `read` or a `delivered` frame."""

    room_id: UUID
    user_id: UUID
    seq: int


class Typing(msgspec.Struct):
    """The `data` of a `typing` frame."""

    room_id: UUID
    user_id: UUID
    is_typing: bool
