"""What members are to a room: their roles, and who is silent."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from accounts.models import User
from core.errors import Forbidden, LastOwner, ValidationFailed
from core.transactions import transactional
from eventlog import log
from rooms import events
from rooms.models import Membership, Room
from rooms.selectors import get_administrator, get_membership
from rooms.services.memberships import group_of, is_last_owner


class MemberChanges(TypedDict, total=False):
    """What may be changed of a member; `muted_until` None lets them speak again."""

    role: str
    muted_until: datetime | None


@transactional
def update_member(
    actor: User, *, room_key: str, user_id: UUID, **changes: Unpack[MemberChanges]
) -> Membership:
    """Give a member of a group another role, which only owners do, or mute them, or both.

    Only who is just a member is muted: else the last owner could be, with nobody to end it. A higher role ends it.

    Raises:
        NotFound: the actor or the user is not a member.
        Forbidden: the actor's role is too low, or the room is direct; a mute of an admin or an owner.
        LastOwner: the actor is the only owner, and would be none.

    Emits:
        member.updated: on the room's stream, if anything became another.
    """
    room = group_of(actor, room_key)
    streams = log.lock(room.stream)
    mine = get_administrator(actor, str(room.id))
    theirs = mine if user_id == actor.id else get_membership(user_id, str(room.id))
    if "role" in changes and not mine.is_owner:
        raise Forbidden
    role = changes.get("role", theirs.role)
    can_be_muted = role == Membership.Role.MEMBER
    if "muted_until" in changes and not can_be_muted:
        raise Forbidden
    silenced_until = changes.get("muted_until", theirs.silenced_until) if can_be_muted else None
    if (role, silenced_until) == (theirs.role, theirs.silenced_until):
        return theirs
    if role != Membership.Role.OWNER and is_last_owner(theirs):
        raise LastOwner
    theirs.role, theirs.silenced_until = role, silenced_until
    theirs.save(update_fields=["role", "silenced_until"])
    events.member_updated(streams, theirs.room, [theirs], by=actor)
    return theirs


@transactional
def transfer_room(actor: User, *, room_key: str, user_id: UUID) -> Room:
    """Make another member the owner of a group; the actor stays as an admin.

    Raises:
        NotFound: the actor or the user is not a member.
        ValidationFailed: `self`.
        Forbidden: the actor is no owner, as nobody is in a direct room.

    Emits:
        member.updated: on the room's stream, for the new owner and for the old one.
    """
    room = group_of(actor, room_key)
    if user_id == actor.id:
        raise ValidationFailed.of("user_id", "self", "This is you.")
    streams = log.lock(room.stream)
    mine = get_membership(actor.id, str(room.id))
    if not mine.is_owner:
        raise Forbidden
    theirs = get_membership(user_id, str(room.id))
    both = [theirs, mine]
    theirs.role, mine.role = Membership.Role.OWNER, Membership.Role.ADMIN
    theirs.silenced_until = None
    Membership.objects.bulk_update(both, fields=["role", "silenced_until"])
    events.member_updated(streams, mine.room, both, by=actor)
    return mine.room
