"""What tells how far someone has read or received, what they have not, and who types."""

from __future__ import annotations

from uuid import UUID

import msgspec


class ReadMarker(msgspec.Struct):
    """How far the caller has read a room."""

    last_read_seq: int
    unread_count: int


class UnreadRoom(msgspec.Struct):
    """What the caller has not read of a room, and how much of it mentions them."""

    room_id: UUID
    unread_count: int
    mention_count: int


class Unread(msgspec.Struct):
    """The rooms with something to read, latest activity first, and how much it is in all."""

    total: int
    rooms: list[UnreadRoom]


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
