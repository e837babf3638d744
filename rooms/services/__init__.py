"""Writes of rooms, memberships, bans and invites.

Whoever changes them holds the lock of the room's stream; no other row needs one. What a member wants for
themselves alone is under the lock of their own stream.
"""

from rooms.services.avatars import remove_avatar, set_avatar
from rooms.services.bans import ban_user, unban_user
from rooms.services.erasing import leave_all
from rooms.services.invites import accept_invite, create_invite, revoke_invite
from rooms.services.members import add_members, join_room, leave_room, remove_member
from rooms.services.preferences import set_preferences
from rooms.services.roles import transfer_room, update_member
from rooms.services.rooms import create_room, delete_room, open_direct_room, update_room

__all__ = [
    "accept_invite",
    "add_members",
    "ban_user",
    "create_invite",
    "create_room",
    "delete_room",
    "join_room",
    "leave_all",
    "leave_room",
    "open_direct_room",
    "remove_avatar",
    "remove_member",
    "revoke_invite",
    "set_avatar",
    "set_preferences",
    "transfer_room",
    "unban_user",
    "update_member",
    "update_room",
]
