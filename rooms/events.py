"""What rooms announces: to the room's members, and to a user whose rooms change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from accounts.models import User
from accounts.schemas import erased, user_card
from eventlog import log
from eventlog.log import EVERYONE, Draft, LockedStreams, user_stream
from realtime.frames import FrameType
from rooms import models
from rooms.models import Membership
from rooms.schemas import (
    EndReason,
    MemberChange,
    MemberRemoved,
    Room,
    RoomDeleted,
    RoomJoined,
    RoomLeft,
    RoomPreferences,
    member_change,
    member_views,
    room_frame,
    room_preferences,
)

ROOM_EVENTS = {
    "member.added": FrameType(MemberChange, "Someone came in."),
    "member.updated": FrameType(
        MemberChange, "A member has another role, or is muted by the admins or no more."
    ),
    "member.removed": FrameType(
        MemberRemoved, "Someone is out; about me, the last event of the room that I get."
    ),
    "room.updated": FrameType(Room, "The room has another name, state or whatever it shows."),
    "room.deleted": FrameType(RoomDeleted, "The room is gone; its last event for everyone."),
}

USER_EVENTS = {
    "room.joined": FrameType(RoomJoined, "I am in this room; its events follow by themselves."),
    "room.left": FrameType(RoomLeft, "I am not in this room any more."),
    "room.preferences": FrameType(RoomPreferences, "What I want of this room, set on one of my devices."),
}


def member_added(
    streams: LockedStreams, room: models.Room, memberships: Sequence[Membership], *, by: User
) -> None:
    """`member.added` for each, on the room's stream."""
    _members_changed(streams, "member.added", room, memberships, by=by)


def member_updated(
    streams: LockedStreams, room: models.Room, memberships: Sequence[Membership], *, by: User
) -> None:
    """`member.updated` for each, on the room's stream: another role, or a mute."""
    _members_changed(streams, "member.updated", room, memberships, by=by)


def room_joined(
    streams: LockedStreams, room: models.Room, memberships: Sequence[Membership], *, by: User
) -> None:
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
                shows_id=room.last_message_id,
                opens=room.stream,
                opens_after=row.joined_pos,
            )
            for row, view in zip(memberships, views, strict=True)
        )
    )


def member_removed(
    streams: LockedStreams, room: models.Room, membership: Membership, *, reason: EndReason, by: User
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


def peer_erased(room: models.Room, user: User) -> None:
    """No frame about a direct room has more of the user, the peer in it, than is left of them."""
    log.rewrite([room.id], lambda shown: erased(shown, user))


def room_updated(streams: LockedStreams, room: models.Room, *, by: User) -> None:
    """`room.updated`, on the room's stream."""
    streams.append(
        Draft(
            stream=room.stream,
            type="room.updated",
            data=room_frame(room),
            actor_id=by.id,
            object_id=room.id,
            shows_id=room.last_message_id,
        )
    )


def room_preferences_changed(streams: LockedStreams, membership: Membership) -> None:
    """`room.preferences`, on the member's own stream: to nobody else."""
    streams.append(
        Draft(
            stream=user_stream(membership.user_id),
            type="room.preferences",
            data=room_preferences(membership),
            actor_id=membership.user_id,
            object_id=membership.room_id,
        )
    )


def room_deleted(streams: LockedStreams, room: models.Room, member_ids: Iterable[UUID], *, by: User) -> None:
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


def _members_changed(
    streams: LockedStreams, type_: str, room: models.Room, memberships: Sequence[Membership], *, by: User
) -> None:
    streams.append(
        *(
            Draft(
                stream=room.stream,
                type=type_,
                data=member_change(row, by=by.id),
                actor_id=by.id,
                object_id=row.user_id,
            )
            for row in memberships
        )
    )
