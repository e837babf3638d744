"""Faces of groups."""

from __future__ import annotations

from typing import IO

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core.errors import Forbidden, NotFound, RoomLocked
from core.storage import avatars
from core.transactions import transactional
from eventlog import log
from rooms import events
from rooms.models import Room
from rooms.selectors import get_administrator


def set_avatar(actor: User, *, room_key: str, file: IO[bytes]) -> Room:
    """Show a picture as a group's face; the one before it is deleted.

    Raises:
        NotFound: the actor is not a member.
        Forbidden: the actor is neither admin nor owner, as nobody is in a direct room.
        RoomLocked: it is archived.
        UnsupportedMediaType, TooLarge: it is no picture that can be read, or has too many pixels.
        StorageUnavailable

    Emits:
        room.updated: on the room's stream.
    """
    room = get_administrator(actor, room_key).room
    # Before a picture is made for nothing.
    _check_not_archived(room)
    name = avatars.keep(file)
    try:
        return _replace(actor, room, name)
    except (Forbidden, NotFound, RoomLocked):
        # Meanwhile the actor lost the right to it.
        avatars.remove(name)
        raise


def remove_avatar(actor: User, *, room_key: str) -> Room:
    """Show no face; without one, nothing changes.

    Raises:
        NotFound: the actor is not a member.
        Forbidden: the actor is neither admin nor owner.
        RoomLocked: it is archived.

    Emits:
        room.updated: on the room's stream, if there was one.
    """
    return _replace(actor, get_administrator(actor, room_key).room, "")


@transactional
def _replace(actor: User, room: Room, name: str) -> Room:
    streams = log.lock(room.stream)
    room = get_administrator(actor, str(room.id)).room
    old, room.avatar = room.avatar, name
    if name != old:
        _check_not_archived(room)
        room.updated_at = timezone.now()
        room.save(update_fields=["avatar", "updated_at"])
        events.room_updated(streams, room, by=actor)
        transaction.on_commit(lambda: avatars.remove(old))
    return room


def _check_not_archived(room: Room) -> None:
    if room.state == Room.State.ARCHIVED:
        raise RoomLocked
