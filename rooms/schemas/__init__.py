"""Rooms and their members as clients see them: the same objects in REST answers and in frames."""

from rooms.schemas.access import Ban, BanPage, Invite, InvitePage, InvitePreview, ban, invite, invite_preview
from rooms.schemas.members import (
    AddedMembers,
    FailedMember,
    Member,
    MemberChange,
    MemberPage,
    MemberRemoved,
    member,
    member_change,
)
from rooms.schemas.rooms import (
    MyMembership,
    Room,
    RoomDeleted,
    RoomJoined,
    RoomLeft,
    RoomPage,
    RoomView,
    member_views,
    room_frame,
    room_views,
)

__all__ = [
    "AddedMembers",
    "Ban",
    "BanPage",
    "FailedMember",
    "Invite",
    "InvitePage",
    "InvitePreview",
    "Member",
    "MemberChange",
    "MemberPage",
    "MemberRemoved",
    "MyMembership",
    "Room",
    "RoomDeleted",
    "RoomJoined",
    "RoomLeft",
    "RoomPage",
    "RoomView",
    "ban",
    "invite",
    "invite_preview",
    "member",
    "member_change",
    "member_views",
    "room_frame",
    "room_views",
]
