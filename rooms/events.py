"""What rooms announces: to the room's members, and to a user whose rooms change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from accounts.models import User
from accounts.schemas import user_card
from eventlog.log import EVERYONE, Draft, LockedStreams, user_stream
from rooms.models import Membership, Room
from rooms.schemas import (
    MemberAdded,
    MemberRemoved,
    RoomDeleted,
    RoomJoined,
    RoomLeft,
    member_views,
    room_frame,
)


def member_added(streams: LockedStreams, room: Room, memberships: Sequence[Membership], *, by: User) -> None:
    """`member.added` for each, on the room's stream."""
    streams.append(
        *(
            Draft(
                stream=room.stream,
                type="member.added",
                data=MemberAdded(room.id, user_card(row.user), row.role, by.id),
                actor_id=by.id,
                object_id=row.user_id,
            )
            for row in memberships
        )
    )


def room_joined(streams: LockedStreams, room: Room, memberships: Sequence[Membership], *, by: User) -> None:
    """`room.joined` for each, on the new member's own stream; their connections follow the room from there."""
    views = member_views(room, memberships)
    streams.append(
        *(
            Draft(
                stream=user_stream(row.user_id),
                type="room.joined",
                data=RoomJoined(view, room.stream, row.joined_pos),
                actor_id=by.id,
                object_id=room.id,
                opens=room.stream,
                opens_after=row.joined_pos,
            )
            for row, view in zip(memberships, views, strict=True)
        )
    )


def member_removed(
    streams: LockedStreams, room: Room, membership: Membership, *, reason: str, by: User
) -> None:
    """`member.removed`, the last event of the room for that member, and `room.left` on their own stream."""
    streams.append(
        Draft(
            stream=room.stream,
            type="member.removed",
            data=MemberRemoved(room.id, user_card(membership.user), reason, by.id),
            actor_id=by.id,
            object_id=membership.user_id,
            ends_for=str(membership.user_id),
        ),
        Draft(
            stream=user_stream(membership.user_id),
            type="room.left",
            data=RoomLeft(room.id, reason),
            actor_id=by.id,
            object_id=room.id,
        ),
    )


def room_updated(streams: LockedStreams, room: Room, *, by: User) -> None:
    """`room.updated`, on the room's stream."""
    streams.append(
        Draft(
            stream=room.stream,
            type="room.updated",
            data=room_frame(room),
            actor_id=by.id,
            object_id=room.id,
        )
    )


def room_deleted(streams: LockedStreams, room: Room, member_ids: Iterable[UUID], *, by: User) -> None:
    """`room.deleted`, the last event of the room for everyone, and `room.left` on each member's own stream."""
    streams.append(
        Draft(
            stream=room.stream,
            type="room.deleted",
            data=RoomDeleted(room.id, by.id),
            actor_id=by.id,
            object_id=room.id,
            ends_for=EVERYONE,
        ),
        *(
            Draft(
                stream=user_stream(user_id),
                type="room.left",
                data=RoomLeft(room.id, "deleted"),
                actor_id=by.id,
                object_id=room.id,
            )
            for user_id in member_ids
        ),
    )
