"""The REST door of rooms. A room's path takes its id or its slug."""

from rooms.views.access import BanViewSet, InviteViewSet, OpenInviteViewSet
from rooms.views.avatars import RoomAvatarViewSet
from rooms.views.members import MemberViewSet
from rooms.views.rooms import RoomViewSet

__all__ = [
    "BanViewSet",
    "InviteViewSet",
    "MemberViewSet",
    "OpenInviteViewSet",
    "RoomAvatarViewSet",
    "RoomViewSet",
]
