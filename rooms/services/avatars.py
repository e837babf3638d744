"""Faces of groups."""

from __future__ import annotations

from typing import IO

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core.errors import Forbidden, NotFound
from core.storage import avatars
from core.transactions import transactional
from eventlog import log
from rooms import events
from rooms.models import Room
from rooms.selectors import get_membership


def set_avatar(actor: User, *, room_key: str, file: IO[bytes]) -> Room:
    """Show a picture as a group's face; the one before it is deleted.

    Raises:
        NotFound: the actor is not a member.
        Forbidden: the actor is neither admin nor owner, as nobody is in a direct room.
        UnsupportedMediaType, TooLarge: it is no picture that can be read, or has too many pixels.
        StorageUnavailable

    Emits:
        room.updated: on the room's stream.
    """
    # Before a picture is made for nothing.
    room = _administered_by(actor, room_key)
    name = avatars.keep(file)
    try:
        return _replace(actor, room, name)
    except (Forbidden, NotFound):
        # Meanwhile the actor lost the right to it.
        avatars.remove(name)
        raise


def remove_avatar(actor: User, *, room_key: str) -> Room:
    """Show no face; without one, nothing changes.

    Raises:
        NotFound: the actor is not a member.
        Forbidden: the actor is neither admin nor owner.

    Emits:
        room.updated: on the room's stream, if there was one.
    """
    return _replace(actor, _administered_by(actor, room_key), "")


@transactional
def _replace(actor: User, room: Room, name: str) -> Room:
    streams = log.lock(room.stream)
    room = _administered_by(actor, str(room.id))
    old, room.avatar = room.avatar, name
    if name != old:
        room.updated_at = timezone.now()
        room.save(update_fields=["avatar", "updated_at"])
        events.room_updated(streams, room, by=actor)
        transaction.on_commit(lambda: avatars.remove(old))
    return room


def _administered_by(actor: User, room_key: str) -> Room:
    mine = get_membership(actor.id, room_key)
    if not mine.may_administer:
        raise Forbidden
    return mine.room
