"""Inviting into a group whoever has a code."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from accounts.models import User
from accounts.selectors import reread_user
from core.errors import AlreadyMember, NotFound, RoomLocked
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream
from rooms.models import Invite, Room
from rooms.selectors import find_invite, get_administrator
from rooms.services.memberships import begin, group_of, membership_to_be


@transactional
def create_invite(
    actor: User, *, room_key: str, expires_in: int | None = None, max_uses: int | None = None
) -> Invite:
    """Make a code that lets others into a group: for `expires_in` seconds, `max_uses` times; None has no end.

    Raises:
        NotFound: the actor is not a member.
        Forbidden: the actor is neither admin nor owner, or the room is direct.
        RoomLocked: the room is archived.
    """
    room = group_of(actor, room_key)
    log.lock(room.stream)
    room = get_administrator(actor, str(room.id)).room
    if room.state == Room.State.ARCHIVED:
        raise RoomLocked
    now = timezone.now()
    expires_at = None if expires_in is None else now + timedelta(seconds=expires_in)
    return Invite.objects.create(
        room=room, created_by=actor, max_uses=max_uses, expires_at=expires_at, created_at=now
    )


@transactional
def revoke_invite(actor: User, *, room_key: str, code: str) -> None:
    """Take an invite back; who came by it stays.

    Raises:
        NotFound: the actor is not a member; no such invite, or one that lets nobody in any more.
        Forbidden: the actor is neither admin nor owner, or the room is direct.
    """
    room = group_of(actor, room_key)
    log.lock(room.stream)
    get_administrator(actor, str(room.id))
    invite = Invite.open.filter(room=room, code=code).first()
    if invite is None:
        raise NotFound
    invite.delete()


@transactional
def accept_invite(actor: User, *, code: str) -> Room:
    """Come into a group by an invite; of those who want its last use at once, one does.

    Raises:
        NotFound: no such invite, or one that does not let the actor in.
        AlreadyMember: no use is spent.
        SessionRevoked: the actor is erased.

    Emits:
        member.added: on the room's stream.
        room.joined: to the actor.
    """
    known = Invite.objects.select_related("room").filter(code=code).first()
    if known is None:
        raise NotFound
    streams = log.lock(known.room.stream, user_stream(actor.id))
    actor = reread_user(actor)
    membership = membership_to_be(actor, known.room)
    # Before all else: whoever had the last use, and did not get the answer, asks again.
    if membership.pk and membership.is_active:
        raise AlreadyMember
    invite = find_invite(actor, code)
    membership.room = invite.room
    # Staff may take it back meanwhile, without the room's lock.
    if not Invite.open.filter(pk=invite.pk).update(uses=F("uses") + 1):
        raise NotFound
    begin(streams, invite.room, [membership], by=actor)
    return invite.room
