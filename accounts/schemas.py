"""Users as clients see them: the same objects in REST answers and in frames."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec

from accounts.models import User
from core.timestamps import Timestamp, rfc3339

Relationship = Literal["none", "incoming", "outgoing", "friends", "blocked"]


class UserCard(msgspec.Struct):
    """Enough of a user to show a name and a face."""

    id: UUID
    username: str
    display_name: str
    avatar_url: str | None
    is_bot: bool


class Presence(msgspec.Struct):
    status: Literal["online", "away", "offline"]
    last_seen_at: Timestamp | None


class UserProfile(UserCard):
    """A user as another one sees them; `relationship` is the viewer's to them."""

    bio: str
    created_at: Timestamp
    presence: Presence
    relationship: Relationship


class Suspension(msgspec.Struct):
    reason: str
    expires_at: Timestamp | None


class Me(UserCard):
    """The caller's own account."""

    bio: str
    created_at: Timestamp
    presence: Presence
    email: str
    email_verified: bool
    is_staff: bool
    settings: dict[str, Any]
    suspension: Suspension | None


def user_card(user: User) -> UserCard:
    """The card of a user; needs the user's row only."""
    return UserCard(
        id=user.id,
        username=user.username,
        display_name=user.shown_name,
        avatar_url=None,
        is_bot=user.is_bot,
    )
