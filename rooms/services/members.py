"""Who comes into a room, and who goes."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from accounts.models import User
from accounts.selectors import reread_user, users_by_id
from core.errors import Forbidden, LastOwner, NotFound, RoomLocked, ValidationFailed
from core.transactions import transactional
from eventlog import log
from eventlog.log import user_stream
from friendships.selectors import closed_to
from rooms.models import Membership, Room
from rooms.schemas import AddedMembers, FailedMember
from rooms.selectors import banned_among, find_room_to_join, get_administrator, get_membership
from rooms.services.memberships import begin, end, group_of, is_last_owner, membership_to_be, user_streams


@transactional
def add_members(actor: User, *, room_key: str, user_ids: Collection[UUID]) -> AddedMembers:
    """Add users to a group; those who can't be added, or want only friends to, don't hold up the others.

    Raises:
        NotFound: the actor is not a member.
        Forbidden: the actor is neither admin nor owner, or the room is direct.
        RoomLocked: the room is archived.

    Emits:
        member.added: on the room's stream, for each new member.
        room.joined: to each new member.
    """
    room = group_of(actor, room_key)
    users = users_by_id(actor, user_ids)
    streams = log.lock(room.stream, *user_streams(users.values()))
    # Who was erased before they were locked is not there any more.
    users = users_by_id(actor, users)
    room = get_administrator(actor, str(room.id)).room
    if room.state == Room.State.ARCHIVED:
        raise RoomLocked
    refused = banned_among(room, users) | closed_to(actor, users, switch="invites_from")
    rows = {row.user_id: row for row in Membership.objects.filter(room=room, user_id__in=users)}
    outcome = AddedMembers(added=[], already=[], failed=[])
    for user_id in dict.fromkeys(user_ids):
        if user_id not in users:
            outcome.failed.append(FailedMember(user_id, NotFound.code))
        elif user_id in rows and rows[user_id].is_active:
            outcome.already.append(user_id)
        elif user_id in refused:
            outcome.failed.append(FailedMember(user_id, Forbidden.code))
        else:
            outcome.added.append(user_id)
    if outcome.added:
        memberships = [
            rows.get(user_id) or Membership(room=room, user=users[user_id]) for user_id in outcome.added
        ]
        for membership in memberships:
            membership.room, membership.user = room, users[membership.user_id]
        begin(streams, room, memberships, by=actor)
    return outcome


@transactional
def join_room(actor: User, *, room_key: str) -> Room:
    """Come into a public room.

    Raises:
        NotFound: no such room, or none that the actor may come into.
        AlreadyMember
        SessionRevoked: the actor is erased.

    Emits:
        member.added: on the room's stream.
        room.joined: to the actor.
    """
    room = find_room_to_join(actor, room_key)
    streams = log.lock(room.stream, user_stream(actor.id))
    actor = reread_user(actor)
    room = find_room_to_join(actor, str(room.id))
    begin(streams, room, [membership_to_be(actor, room)], by=actor)
    return room


@transactional
def remove_member(actor: User, *, room_key: str, user_id: UUID) -> None:
    """Put a member out of a group: an owner anyone else, an admin those who are just members.

    Raises:
        NotFound: the actor or the user is not a member.
        ValidationFailed: `self`; leaving is `leave_room`.
        Forbidden: the actor's role is too low, or the room is direct.

    Emits:
        member.removed: on the room's stream; the last event of the room for that user.
        room.left: to that user.
    """
    room = group_of(actor, room_key)
    if user_id == actor.id:
        raise ValidationFailed.of("user_id", "self", "Leave the room instead.")
    streams = log.lock(room.stream, user_stream(user_id))
    mine = get_administrator(actor, str(room.id))
    theirs = get_membership(user_id, str(room.id))
    if not mine.outranks(theirs):
        raise Forbidden
    end(streams, theirs, reason="removed", by=actor)


@transactional
def leave_room(actor: User, *, room_key: str) -> None:
    """Leave a group.

    Raises:
        NotFound: the actor is not a member.
        Forbidden: the room is direct.
        LastOwner: others would stay behind without an owner.

    Emits:
        member.removed: on the room's stream; the last event of the room for the actor.
        room.left: to the actor.
    """
    room = group_of(actor, room_key)
    streams = log.lock(room.stream, user_stream(actor.id))
    mine = get_membership(actor.id, str(room.id))
    # The last member of all may go.
    if mine.room.member_count > 1 and is_last_owner(mine):
        raise LastOwner
    end(streams, mine, reason="left", by=actor)
