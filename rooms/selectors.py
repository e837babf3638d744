"""Reads of rooms and memberships. A room that the viewer is no member of is not there for them."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum, UUIDField, Value

from accounts.models import User
from core.errors import AlreadyMember, ChatError, Forbidden, Muted, NotFound, RoomLocked, SessionRevoked
from core.rows import among, saved_key
from core.text import comparison_key
from eventlog.log import room_stream, user_stream
from eventlog.models import Stream
from friendships.selectors import apart_from
from realtime.router import Place
from rooms.models import Ban, Invite, Membership, Room

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SLUG = re.compile(r"[a-z0-9-]{1,64}")


def find_room(viewer: User, key: str) -> Room:
    """The room of that id or slug, if the viewer is a member. Raises NotFound."""
    return _find_room(viewer, key, "r.*")


def find_room_to_read(viewer: User, key: str) -> tuple[UUID, int]:
    """The id of `find_room`'s, and the number of the last of its messages that the viewer may not read.

    Raises NotFound.
    """
    # Any, for the column that is none of Room's.
    room: Any = _find_room(viewer, key, "r.id, m.reads_after")
    return room.id, room.reads_after


def _find_room(viewer: User, key: str, columns: str) -> Room:
    parsed = _parsed(key)
    if parsed is None:
        raise NotFound
    column, value = ("slug", parsed) if isinstance(parsed, str) else ("id", saved_key(Room, parsed))
    # By hand, since most requests begin with it: to write this statement takes Django longer than all the rest.
    rows = Room.objects.raw(
        f"SELECT {columns} FROM rooms_room r JOIN rooms_membership m ON m.room_id = r.id "  # nosec
        f"WHERE r.{column} = %s AND m.user_id = %s AND m.left_pos IS NULL",
        [value, saved_key(User, viewer.id)],
    )
    room = next(iter(rows), None)
    if room is None:
        raise NotFound
    return room


def get_membership(user_id: UUID, room_key: str) -> Membership:
    """The active membership, with its room, in the room of that id or slug. Raises NotFound."""
    found = memberships_for([(user_id, room_key)])
    if not found:
        raise NotFound
    return found[user_id, room_key]


def get_administrator(viewer: User, room_key: str) -> Membership:
    """The viewer's membership in a room of which they are admin or owner. Raises NotFound, Forbidden."""
    membership = get_membership(viewer.id, room_key)
    if not membership.may_administer:
        raise Forbidden
    return membership


def refusal_to_write(membership: Membership) -> ChatError | None:
    """What keeps the member from writing in their room, if anything does: its state, a mute, that they are erased."""
    if membership.user.erased_at is not None:
        return SessionRevoked()
    state = membership.room.state
    if state == Room.State.ARCHIVED or (state == Room.State.LOCKED and not membership.may_administer):
        return RoomLocked()
    return Muted() if membership.is_silenced else None


def memberships_for(pairs: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], Membership]:
    """The active memberships, with room and user, of any number of (user id, room id or slug).

    In one query for the ids, and one for the slugs. Pairs without a membership are absent.
    """
    asked = {pair: room for pair in pairs if (room := _parsed(pair[1])) is not None}
    if not asked:
        return {}
    active = Membership.active.select_related("room", "user")
    # By pairs, not `user in … and room in …`: where many share many rooms that reads their whole product.
    ids = {(room, user_id) for (user_id, _), room in asked.items() if isinstance(room, UUID)}
    slugs = {(room, user_id) for (user_id, _), room in asked.items() if isinstance(room, str)}
    rows = list(among(active, ("room", "user"), ids)) if ids else []
    if slugs:
        by_slug = (Q(room__slug=slug, user_id=user_id) for slug, user_id in slugs)
        # The users once more, since a slug is not of this table, and OR would leave the query no index.
        users = {user_id for _, user_id in slugs}
        rows += active.filter(reduce(or_, by_slug), user_id__in=users)
    found: dict[tuple[UUID, UUID | str | None], Membership] = {}
    for row in rows:
        found[row.user_id, row.room_id] = found[row.user_id, row.room.slug] = row
    return {
        (user_id, key): found[user_id, room]
        for (user_id, key), room in asked.items()
        if (user_id, room) in found
    }


def _parsed(key: str) -> UUID | str | None:
    """What a room key is: an id, a slug, or None for neither.

    Odd keys never reach the database: MySQL would ignore trailing blanks in them.
    """
    if _ID.fullmatch(key):
        return UUID(key)
    return key if _SLUG.fullmatch(key) else None


def memberships_of(
    viewer: User, *, type_: str = "", search: str = "", unread: bool | None = None
) -> QuerySet[Membership]:
    """The viewer's memberships, with their rooms.

    `search` is part of a room's name, or of the other one's name in a direct room; `unread` keeps only
    those with, or only those without, messages after the viewer's `last_read_seq`.
    """
    mine = Membership.active.filter(user=viewer).select_related("room")
    if unread is not None:
        comparison = "room__last_seq__gt" if unread else "room__last_seq__lte"
        mine = mine.filter(**{comparison: F("last_read_seq")})
    if type_:
        mine = mine.filter(room__type=type_)
    if search:
        key = comparison_key(search)
        named = User.objects.filter(Q(username_key__contains=key) | Q(display_name_key__contains=key))
        peers = Membership.active.filter(room__type=Room.Type.DIRECT, user__in=named).exclude(user=viewer)
        mine = mine.filter(Q(room__name__icontains=search.strip()) | Q(room__in=peers.values("room_id")))
    return mine


def rooms_to_join(viewer: User, *, search: str = "") -> QuerySet[Room]:
    """The public rooms that the viewer may come into by themselves; `search` is part of a room's name."""
    here = {"room": OuterRef("pk"), "user": viewer}
    rooms = Room.objects.filter(
        ~Exists(Membership.active.filter(**here)),
        ~Exists(Ban.standing.filter(**here)),
        visibility=Room.Visibility.PUBLIC,
        state=Room.State.ACTIVE,
    )
    return rooms.filter(name__icontains=search.strip()) if search else rooms


def find_room_to_join(viewer: User, key: str) -> Room:
    """The room of that id or slug, if the viewer may come into it by themselves.

    Raises:
        NotFound: no such room for them: a private one, a closed one, one that they are banned from.
        AlreadyMember
    """
    parsed = _parsed(key)
    if parsed is None:
        raise NotFound
    column = "slug" if isinstance(parsed, str) else "id"
    room = rooms_to_join(viewer).filter(**{column: parsed}).first()
    if room is None:
        find_room(viewer, key)  # or NotFound
        raise AlreadyMember
    return room


def unread_total(viewer: User) -> int:
    """How many messages the viewer has not read, over all rooms."""
    unread = Sum(F("room__last_seq") - F("last_read_seq"))
    return Membership.active.filter(user=viewer).aggregate(unread=unread)["unread"] or 0


def members_of(viewer: User, room: Room) -> QuerySet[Membership]:
    """The members of a room, with their users; none if the viewer isn't one."""
    mine = Q(room__memberships__user=viewer, room__memberships__left_pos=None)
    return Membership.active.filter(mine, room=room).select_related("user")


def banned_among(room: Room, user_ids: Collection[UUID]) -> set[UUID]:
    """Those of the named users who may not come into the room now."""
    return set(Ban.standing.filter(room=room, user_id__in=user_ids).values_list("user_id", flat=True))


def bans_of(viewer: User, room_key: str) -> QuerySet[Ban]:
    """The bans that hold in a room, with their users. Raises NotFound, Forbidden."""
    room = get_administrator(viewer, room_key).room
    return Ban.standing.filter(room=room).select_related("user")


def invites_of(viewer: User, room_key: str) -> QuerySet[Invite]:
    """The invites that still let somebody into a room. Raises NotFound, Forbidden."""
    return Invite.open.filter(room=get_administrator(viewer, room_key).room)


def find_invite(viewer: User, code: str) -> Invite:
    """The invite with that code, with its room. Raises NotFound: also where it lets the viewer in no more."""
    invite = Invite.open.select_related("room").filter(code=code).first()
    if (
        invite is None
        or invite.room.state in (Room.State.ARCHIVED, Room.State.DELETED)
        or banned_among(invite.room, [viewer.id])
    ):
        raise NotFound
    return invite


def room_mates(viewer: User, user_ids: Collection[UUID]) -> set[UUID]:
    """Those of the named users who are in a room with the viewer now."""
    mine = Membership.active.filter(user=viewer).values("room_id")
    theirs = Membership.active.filter(user_id__in=user_ids, room_id__in=mine).exclude(user=viewer)
    return set(theirs.values_list("user_id", flat=True))


def room_mates_apart_from(user_id: UUID, *, room: Room | None = None) -> set[UUID]:
    """Those of the user's room-mates, of all rooms or of one, whom the user has blocked or who have blocked them."""
    apart = apart_from(user_id)
    if not apart:
        return apart
    theirs = Membership.active.filter(user_id__in=apart)
    if room is None:
        theirs = theirs.filter(room_id__in=Membership.active.filter(user_id=user_id).values("room_id"))
    else:
        theirs = theirs.filter(room=room)
    return set(theirs.values_list("user_id", flat=True))


def members_without_receipts(room: Room) -> set[UUID]:
    """Those of the room's members who keep to themselves how far they have read, and so see it of nobody."""
    rows = Membership.active.filter(room=room, user__read_receipts=False)
    return set(rows.values_list("user_id", flat=True))


def room_streams_of(user_id: UUID, *, at_most: int) -> list[str]:
    """The streams of the rooms that the user is in and that have no more than `at_most` members."""
    rooms = Membership.active.filter(user_id=user_id, room__member_count__lte=at_most)
    return [room_stream(id_) for id_ in rooms.values_list("room_id", flat=True)]


def places_of(user_ids: Collection[UUID]) -> dict[UUID, list[Place]]:
    """The streams that each of the users follows: their own, first, and that of each room they are in.

    One statement (UNION ALL), and so one snapshot on every database: no membership without the
    head that was true at the same moment.
    """
    owns = {user_stream(id_): id_ for id_ in user_ids}
    rooms = Membership.active.filter(user_id__in=user_ids)
    rows = rooms.values_list("room__stream_row__name", "room__stream_row__head", "joined_pos", "user_id")
    own_rows = Stream.objects.filter(name__in=owns).values_list(
        "name", "head", Value(0), Value(None, UUIDField())
    )
    # A user to whom nothing has happened yet has no stream.
    places = {id_: [Place(own, 0)] for own, id_ in owns.items()}
    for name, head, since, user_id in rows.union(own_rows, all=True):
        if user_id is None:
            places[owns[name]][0] = Place(name, head)
        else:
            places[user_id].append(Place(name, head, since))
    return places
