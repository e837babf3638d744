"""Rooms as clients see them, and what becomes of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec

from accounts.models import User
from accounts.schemas import UserCard, user_card
from core.pagination import Page
from core.storage import avatars
from core.timestamps import Timestamp, rfc3339
from rooms import models
from rooms.models import Membership
from rooms.schemas.members import Role
from rooms.signals import last_messages_asked

RoomType = Annotated[str, msgspec.Meta(extra_json_schema={"enum": models.Room.Type.values})]
Visibility = Annotated[str, msgspec.Meta(extra_json_schema={"enum": models.Room.Visibility.values})]
# Nobody is shown a deleted room.
_STATES = [state for state in models.Room.State.values if state != models.Room.State.DELETED]
State = Annotated[str, msgspec.Meta(extra_json_schema={"enum": _STATES})]


class Room(msgspec.Struct):
    """A room without what depends on the viewer: the form that frames of `room:<id>` carry."""

    id: UUID
    slug: str | None
    type: RoomType
    visibility: Visibility
    name: str
    topic: str
    avatar_url: str | None
    state: State
    member_count: int
    last_seq: int
    # A struct of the app above, which answers `last_messages_asked`.
    last_message: Annotated[Any, msgspec.Meta(extra_json_schema={"type": ["object", "null"]})]
    created_at: Timestamp
    updated_at: Timestamp


class MyMembership(msgspec.Struct):
    """The viewer's own part in a room."""

    role: Role
    last_read_seq: int
    unread_count: int
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
    reason: str


def room_views(viewer: User, rooms: Sequence[models.Room]) -> list[RoomView]:
    """The rooms as `viewer` sees them, in the same order; the number of queries doesn't grow with them."""
    mine = {row.room_id: row for row in Membership.active.filter(user=viewer, room__in=rooms)}
    direct = [room for room in rooms if room.is_direct]
    others = Membership.active.filter(room__in=direct).exclude(user=viewer).select_related("user")
    peers = {row.room_id: user_card(row.user) for row in others}
    messages = _last_messages(viewer, rooms)
    return [_view(room, mine.get(room.id), peers.get(room.id), messages.get(room.id)) for room in rooms]


def member_views(room: models.Room, memberships: Collection[Membership]) -> list[RoomView]:
    """One room as each of these members sees it, in the same order; no query but for the last message.

    The memberships come with their users, and of a direct room both are needed.
    """
    message = _last_messages(None, [room]).get(room.id)
    views = []
    for membership in memberships:
        others = [row.user for row in memberships if row is not membership] if room.is_direct else []
        peer = user_card(others[0]) if others else None
        views.append(_view(room, membership, peer, message))
    return views


def room_frame(room: models.Room) -> Room:
    """The room for events, the same for every member; no query but for the last message."""
    return Room(**_common(room, _last_messages(None, [room]).get(room.id)))


def _last_messages(viewer: User | None, rooms: Sequence[models.Room]) -> dict[UUID, Any]:
    found: dict[UUID, Any] = {}
    answers: Any = last_messages_asked.send(sender=models.Room, viewer=viewer, rooms=rooms)
    for _, answer in answers:
        found.update(answer)
    return found


def _view(room: models.Room, membership: Membership | None, peer: UserCard | None, message: Any) -> RoomView:
    return RoomView(**_common(room, message), my=_my(room, membership) if membership else None, peer=peer)


def _my(room: models.Room, membership: Membership) -> MyMembership:
    return MyMembership(
        role=membership.role,
        last_read_seq=membership.last_read_seq,
        unread_count=max(0, room.last_seq - membership.last_read_seq),
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
        "avatar_url": avatars.url(room.avatar),
        "state": room.state,
        "member_count": room.member_count,
        "last_seq": room.last_seq,
        "last_message": message,
        "created_at": rfc3339(room.created_at),
        "updated_at": rfc3339(room.updated_at),
    }
