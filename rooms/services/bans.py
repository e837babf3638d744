"""Keeping users out of a group."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.selectors import get_user
from core.errors import Forbidden, NotFound, ValidationFailed
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream
from rooms.models import Ban, Membership
from rooms.selectors import get_administrator
from rooms.services.memberships import end, group_of


@transactional
def ban_user(
    actor: User, *, room_key: str, user_id: UUID, reason: str = "", expires_at: datetime | None = None
) -> Ban:
    """Keep a user out of a group; a member is put out. A repeat says anew why and until when.

    Raises:
        NotFound: the actor is not a member; no such user.
        ValidationFailed: `self`.
        Forbidden: the actor's role is too low, or the room is direct.

    Emits:
        member.removed: on the room's stream, if they were a member; the last event of the room for that user.
        room.left: to that user, likewise. The ban itself has no event.
    """
    room = group_of(actor, room_key)
    if user_id == actor.id:
        raise ValidationFailed.of("user_id", "self", "Leave the room instead.")
    streams = log.lock(room.stream, user_stream(user_id))
    mine = get_administrator(actor, str(room.id))
    # One who was here before is found, whomever they have blocked since.
    theirs = Membership.objects.select_related("user").filter(room=room, user_id=user_id).first()
    user = theirs.user if theirs else get_user(actor, user_id)
    if theirs and theirs.is_active:
        if not mine.outranks(theirs):
            raise Forbidden
        theirs.room = mine.room
        end(streams, theirs, reason="banned", by=actor)
    ban, _ = Ban.objects.update_or_create(
        room=room,
        user=user,
        defaults={
            "reason": reason,
            "expires_at": expires_at,
            "banned_by": actor,
            "created_at": timezone.now(),
        },
    )
    return ban


@transactional
def unban_user(actor: User, *, room_key: str, user_id: UUID) -> None:
    """Let a user come into a group again.

    Raises:
        NotFound: the actor is not a member; the user is not banned.
        Forbidden: the actor is neither admin nor owner, or the room is direct.
    """
    room = group_of(actor, room_key)
    log.lock(room.stream)
    get_administrator(actor, str(room.id))
    ban = Ban.standing.filter(room=room, user_id=user_id).first()
    if ban is None:
        raise NotFound
    ban.delete()
