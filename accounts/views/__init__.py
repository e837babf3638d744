"""The REST door: /auth and /users."""

from accounts.views.avatars import AvatarViewSet
from accounts.views.codes import CodeViewSet
from accounts.views.logins import LoginViewSet
from accounts.views.sessions import SessionViewSet
from accounts.views.users import MeViewSet, PresenceViewSet, UserViewSet

__all__ = [
    "AvatarViewSet",
    "CodeViewSet",
    "LoginViewSet",
    "MeViewSet",
    "PresenceViewSet",
    "SessionViewSet",
    "UserViewSet",
]
