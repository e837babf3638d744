"""Writes of rooms and memberships.

Whoever changes a room or its memberships holds the lock of the room's stream; the room row needs no other.
"""

from rooms.services.avatars import remove_avatar, set_avatar
from rooms.services.members import add_members, leave_room, remove_member
from rooms.services.rooms import create_room, delete_room, open_direct_room

__all__ = [
    "add_members",
    "create_room",
    "delete_room",
    "leave_room",
    "open_direct_room",
    "remove_avatar",
    "remove_member",
    "set_avatar",
]
