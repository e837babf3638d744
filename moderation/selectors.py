"""What there is to be reported, as the reporter sees it now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from accounts.models import User
from accounts.schemas import user_card
from accounts.selectors import get_user
from core.timestamps import rfc3339
from messaging.schemas import revision
from messaging.selectors import get_message, revisions_of
from moderation.models import Report
from rooms.models import Room
from rooms.selectors import find_room, rooms_to_join

MOST_EDITS = 20
"""Of the edits that a message has had, the last so many are evidence."""


def evidence_of(viewer: User, *, target_type: str, target_id: UUID) -> dict[str, Any]:
    """What a user, a room or a message is now, in words that need no look-up later. Raises NotFound."""
    return _EVIDENCE[target_type](viewer, target_id)


def _user(viewer: User, user_id: UUID) -> dict[str, Any]:
    user = get_user(viewer, user_id)
    return {"user": {**_plain(user_card(user)), "bio": user.bio, "created_at": rfc3339(user.created_at)}}


def _room(viewer: User, room_id: UUID) -> dict[str, Any]:
    to_join = rooms_to_join(viewer).filter(id=room_id).first()
    return {"room": _room_now(to_join or find_room(viewer, str(room_id)))}


def _message(viewer: User, message_id: UUID) -> dict[str, Any]:
    message = get_message(viewer, message_id)
    edits = revisions_of(viewer, message_id).order_by("-edited_at", "-id")[:MOST_EDITS]
    return {
        "message": _plain(message),
        "edits": [_plain(revision(row)) for row in edits],
        "room": _room_now(Room.objects.get(id=message.room_id)),
    }


def _room_now(room: Room) -> dict[str, Any]:
    return {
        "id": str(room.id),
        "slug": room.slug,
        "type": room.type,
        "visibility": room.visibility,
        "name": room.name,
        "topic": room.topic,
        "member_count": room.member_count,
        "created_at": rfc3339(room.created_at),
    }


def _plain(struct: msgspec.Struct) -> Any:
    return msgspec.to_builtins(struct)


_EVIDENCE: dict[str, Callable[[User, UUID], dict[str, Any]]] = {
    Report.TargetType.USER: _user,
    Report.TargetType.ROOM: _room,
    Report.TargetType.MESSAGE: _message,
}
