"""Making rooms, changing and deleting them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.selectors import reread_user, users_by_id
from core.errors import AlreadyExists, FieldError, Forbidden, RoomLocked, SessionRevoked, ValidationFailed
from core.transactions import transactional
from eventlog import log
from eventlog.log import LockedStreams, user_stream
from eventlog.models import Stream
from friendships.models import pair_key
from friendships.selectors import closed_to, get_reachable_user
from rooms import events
from rooms.models import Membership, Room
from rooms.selectors import get_administrator, get_membership
from rooms.services.memberships import group_of, user_streams


@transactional
def create_room(
    owner: User,
    *,
    name: str,
    topic: str = "",
    slug: str | None = None,
    visibility: str = Room.Visibility.PRIVATE,
    history: str = Room.History.ALL,
    member_ids: Collection[UUID] = (),
) -> Room:
    """Make a group of the owner and `member_ids`.

    Raises:
        ValidationFailed: `not_found` for each user that the owner can't see, `forbidden` for each who wants only
            friends to add them.
        AlreadyExists: the slug is taken.
        SessionRevoked: the owner is erased.

    Emits:
        room.joined: to each member. Nothing on the room's own stream: its first message is its first event.
    """
    users = users_by_id(owner, member_ids)
    unknown = [
        FieldError(f"member_ids.{place}", "not_found", "No such user.")
        for place, user_id in enumerate(member_ids)
        if user_id not in users and user_id != owner.id
    ]
    if unknown:
        raise ValidationFailed(errors=unknown)
    members = [owner, *(users[user_id] for user_id in dict.fromkeys(member_ids) if user_id != owner.id)]
    room = Room(
        type=Room.Type.GROUP,
        name=name,
        topic=topic,
        slug=slug,
        visibility=visibility,
        history=history,
        created_by=owner,
    )
    streams = log.lock(room.stream, *user_streams(members))
    members = _still_there(members)
    closed = closed_to(owner, users, switch="invites_from")
    refused = [
        FieldError(f"member_ids.{place}", Forbidden.code, "You may not add this user.")
        for place, user_id in enumerate(member_ids)
        if user_id in closed
    ]
    if refused:
        raise ValidationFailed(errors=refused)
    return _open(streams, room, members, owner=owner, by=owner)


def _still_there(members: Sequence[User]) -> list[User]:
    """The members, the owner first, as they are now that they are locked: without those who were erased meanwhile."""
    now = User.objects.filter(erased_at=None).in_bulk([user.id for user in members])
    if members[0].id not in now:
        raise SessionRevoked
    return [now[user.id] for user in members if user.id in now]


@transactional
def open_direct_room(user: User, *, user_id: UUID) -> tuple[Room, bool]:
    """The direct room of the two, and whether it was made now.

    Raises:
        ValidationFailed: `self`.
        NotFound: no such user.
        Blocked: one of the two has blocked the other, also where there is a room.
        Forbidden: there is none, and the other one wants only friends to open it.
        SessionRevoked: the user is erased.

    Emits:
        room.joined: to both, if it was made now.
    """
    if user_id == user.id:
        raise ValidationFailed.of("user_id", "self", "This is you.")
    log.lock(user_stream(user.id), user_stream(user_id))
    user, peer = reread_user(user), get_reachable_user(user, user_id)
    both = [user, peer]
    key = pair_key(user.id, peer.id)
    room = Room.objects.filter(direct_key=key).first()
    if room is not None:
        return room, False
    if closed_to(user, [peer.id], switch="messages_from"):
        raise Forbidden
    room = Room(type=Room.Type.DIRECT, direct_key=key, created_by=user)
    # A second call for a stream that nobody else can know of yet, and so can't wait for.
    streams = log.lock(room.stream, *user_streams(both))
    return _open(streams, room, both, owner=None, by=user), True


def _open(streams: LockedStreams, room: Room, members: list[User], *, owner: User | None, by: User) -> Room:
    """Save a new room with its first members. Raises AlreadyExists for the slug, which no lock guards."""
    now = timezone.now()
    room.stream_row = Stream.objects.get(name=room.stream)
    room.member_count = len(members)
    room.created_at = room.updated_at = room.last_activity_at = now
    try:
        with transaction.atomic():
            room.save(force_insert=True)
    except IntegrityError:
        raise AlreadyExists("This slug is taken.") from None
    memberships = [
        Membership(
            room=room,
            user=user,
            role=Membership.Role.OWNER if user == owner else Membership.Role.MEMBER,
            joined_at=now,
            joined_pos=streams.head(room.stream),
        )
        for user in members
    ]
    Membership.objects.bulk_create(memberships)
    events.room_joined(streams, room, memberships, by=by)
    return room


class RoomChanges(TypedDict, total=False):
    """What may be changed of a group; a slug of None is given up."""

    name: str
    topic: str
    slug: str | None
    visibility: str
    history: str
    state: str


@transactional
def update_room(actor: User, *, room_key: str, **changes: Unpack[RoomChanges]) -> Room:
    """Change what is given of a group. Another `history` holds for those who join from now on.

    Raises:
        NotFound: the actor is not a member.
        Forbidden: the actor is neither admin nor owner, or no owner and it is about archiving; the room is direct.
        RoomLocked: it is archived, and stays so.
        AlreadyExists: the slug is taken.

    Emits:
        room.updated: on the room's stream, if anything became another.
    """
    room = group_of(actor, room_key)
    streams = log.lock(room.stream)
    mine = get_administrator(actor, str(room.id))
    room = mine.room
    changed = {name: value for name, value in changes.items() if value != getattr(room, name)}
    if not changed:
        return room
    if "state" in changed:
        if Room.State.ARCHIVED in (room.state, changed["state"]) and not mine.is_owner:
            raise Forbidden
    elif room.state == Room.State.ARCHIVED:
        raise RoomLocked
    for name, value in changed.items():
        setattr(room, name, value)
    room.updated_at = timezone.now()
    try:
        with transaction.atomic():
            room.save(update_fields=[*changed, "updated_at"])
    except IntegrityError:
        raise AlreadyExists("This slug is taken.") from None
    events.room_updated(streams, room, by=actor)
    return room


@transactional
def delete_room(actor: User, *, room_key: str) -> None:
    """Delete a group for all of its members. Staff still see it, and its slug stays taken.

    Raises:
        NotFound: the actor is not a member.
        Forbidden: the actor is no owner, as nobody is in a direct room.

    Emits:
        room.deleted: on the room's stream; its last event, for everyone.
        room.left: to each member.
    """
    room = _owned_by(actor, room_key)
    looked_at = _member_ids(room)
    streams = log.lock(room.stream, *map(user_stream, looked_at))
    room = _owned_by(actor, str(room.id))
    members = _member_ids(room)
    if members - looked_at:
        # They came before the room was locked; now nobody can. Against the order, and so at the price
        # of a deadlock now and then, which is repeated.
        streams = log.lock(room.stream, *map(user_stream, members))
    close_room(streams, room, members, by=actor)


def close_room(streams: LockedStreams, room: Room, member_ids: Collection[UUID], *, by: User) -> None:
    """End a room for all of its members; its stream and theirs are locked."""
    Membership.active.filter(room=room).update(left_pos=streams.head(room.stream) + 1)
    room.state, room.member_count, room.updated_at = Room.State.DELETED, 0, timezone.now()
    room.save(update_fields=["state", "member_count", "updated_at"])
    events.room_deleted(streams, room, member_ids, by=by)


def _owned_by(actor: User, room_key: str) -> Room:
    mine = get_membership(actor.id, room_key)
    if not mine.is_owner:
        raise Forbidden
    return mine.room


def _member_ids(room: Room) -> set[UUID]:
    return set(Membership.active.filter(room=room).values_list("user_id", flat=True))
