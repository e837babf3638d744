"""Rooms as clients see them, and what becomes of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from accounts.models import User
from accounts.schemas import UserCard, user_card
from core.pagination import Page
from core.storage import avatars
from core.timestamps import Timestamp, rfc3339
from rooms import models
from rooms.models import Membership
from rooms.schemas.members import EndReason, Role
from rooms.signals import last_messages_asked

RoomType = Annotated[str, msgspec.Meta(extra_json_schema={"enum": models.Room.Type.values})]
Visibility = Annotated[str, msgspec.Meta(extra_json_schema={"enum": models.Room.Visibility.values})]
History = Annotated[str, msgspec.Meta(extra_json_schema={"enum": models.Room.History.values})]
# Nobody is shown a deleted room.
_STATES = [state for state in models.Room.State.values if state != models.Room.State.DELETED]
State = Annotated[str, msgspec.Meta(extra_json_schema={"enum": _STATES})]

_MESSAGE = {"anyOf": [{"$ref": "#/components/schemas/Message"}, {"type": "null"}]}


class Room(msgspec.Struct):
    """A room without what depends on the viewer: the form that frames of `room:<id>` carry."""

    id: UUID
    slug: str | None
    type: RoomType
    visibility: Visibility
    name: str
    topic: str
    history: History
    avatar_url: str | None
    state: State
    member_count: int
    last_seq: int
    # A struct of the app above, which answers `last_messages_asked`.
    last_message: Annotated[Any, msgspec.Meta(extra_json_schema=_MESSAGE)]
    created_at: Timestamp
    updated_at: Timestamp


class MyMembership(msgspec.Struct):
    """The viewer's own part in a room: until `muted_until` they want no notice of it.

    Until `silenced_until` they send nothing: to the others it is their `muted_until`.
    """

    role: Role
    last_read_seq: int
    unread_count: int
    silenced_until: Timestamp | None
    muted_until: Timestamp | None
    pinned: bool


class RoomView(Room):
    """A room as one user sees it; `peer` is the other one in a direct room."""

    my: MyMembership | None
    peer: UserCard | None


class RoomPage(Page[RoomView]):
    pass


class RoomJoined(msgspec.Struct):
    """The data of `room.joined`: events of `stream` from `pos` + 1 on follow."""

    room: RoomView
    stream: str
    pos: int


class RoomDeleted(msgspec.Struct):
    """The data of `room.deleted`."""

    room_id: UUID
    by: UUID


class RoomLeft(msgspec.Struct):
    """The data of `room.left`; `reason` as in `member.removed`, or `deleted` as the room is."""

    room_id: UUID
    reason: EndReason | Literal["deleted"]


class RoomPreferences(msgspec.Struct):
    """What a user wants of a room, for themselves alone; also the data of `room.preferences`."""

    room_id: UUID
    muted_until: Timestamp | None
    pinned: bool


def room_views(viewer: User, rooms: Sequence[models.Room]) -> list[RoomView]:
    """The rooms as `viewer` sees them, in the same order; the number of queries doesn't grow with them."""
    return _views(viewer, rooms, Membership.active.filter(user=viewer, room__in=rooms))


def my_room_views(viewer: User, memberships: Collection[Membership]) -> list[RoomView]:
    """`room_views` of the rooms of these memberships of the viewer's own; they come with their rooms."""
    return _views(viewer, [row.room for row in memberships], memberships)


def member_views(room: models.Room, memberships: Collection[Membership]) -> list[RoomView]:
    """One room as each of these members sees it, in the same order; no query but for the last message.

    Who may not read that has none. The memberships come with their users, and of a direct room both are needed.
    """
    message = _last_messages(None, [room]).get(room.id)
    views = []
    for membership in memberships:
        others = [row.user for row in memberships if row is not membership] if room.is_direct else []
        peer = user_card(others[0]) if others else None
        is_hidden = 0 < room.last_seq <= membership.reads_after
        views.append(_view(room, membership, peer, None if is_hidden else message))
    return views


def room_frame(room: models.Room) -> Room:
    """The room for events, the same for every member: without a last message that one of them may not read."""
    newcomers = Membership.active.filter(room=room, reads_after__gte=room.last_seq)
    is_hidden = room.last_seq > 0 and newcomers.exists()
    return Room(**_common(room, None if is_hidden else _last_messages(None, [room]).get(room.id)))


def room_preferences(membership: Membership) -> RoomPreferences:
    """What the member wants of the room."""
    return RoomPreferences(membership.room_id, rfc3339(membership.muted_until), membership.pinned)


def _last_messages(viewer: User | None, rooms: Sequence[models.Room]) -> dict[UUID, Any]:
    found: dict[UUID, Any] = {}
    answers: Any = last_messages_asked.send(sender=models.Room, viewer=viewer, rooms=rooms)
    for _, answer in answers:
        found.update(answer)
    return found


def _views(viewer: User, rooms: Sequence[models.Room], memberships: Iterable[Membership]) -> list[RoomView]:
    mine = {row.room_id: row for row in memberships}
    direct = [room for room in rooms if room.is_direct]
    others = Membership.active.filter(room__in=direct).exclude(user=viewer).select_related("user")
    peers = {row.room_id: user_card(row.user) for row in others}
    messages = _last_messages(viewer, rooms)
    return [_view(room, mine.get(room.id), peers.get(room.id), messages.get(room.id)) for room in rooms]


def _view(room: models.Room, membership: Membership | None, peer: UserCard | None, message: Any) -> RoomView:
    return RoomView(**_common(room, message), my=_my(room, membership) if membership else None, peer=peer)


def _my(room: models.Room, membership: Membership) -> MyMembership:
    return MyMembership(
        role=membership.role,
        last_read_seq=membership.last_read_seq,
        unread_count=max(0, room.last_seq - membership.last_read_seq),
        silenced_until=rfc3339(membership.silenced_until),
        muted_until=rfc3339(membership.muted_until),
        pinned=membership.pinned,
    )


def _common(room: models.Room, message: Any) -> dict[str, Any]:
    return {
        "id": room.id,
        "slug": room.slug,
        "type": room.type,
        "visibility": room.visibility,
        "name": room.name,
        "topic": room.topic,
        "history": room.history,
        "avatar_url": avatars.url(room.avatar),
        "state": room.state,
        "member_count": room.member_count,
        "last_seq": room.last_seq,
        "last_message": message,
        "created_at": rfc3339(room.created_at),
        "updated_at": rfc3339(room.updated_at),
    }
