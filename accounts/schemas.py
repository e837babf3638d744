"""Users as clients see them: the same objects in REST answers and in frames."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec

from accounts.models import Session, User
from core.pagination import Page
from core.storage import avatars
from core.timestamps import Timestamp, rfc3339
from eventlog import log
from realtime import presence_store
from realtime.presence_store import Status

Relationship = Literal["none", "incoming", "outgoing", "friends", "blocked"]

Acquaintance = Literal["friend", "room_mate"]
"""What another user is who may see whether somebody is here."""


class UserCard(msgspec.Struct):
    """Enough of a user to show a name and a face."""

    id: UUID
    username: str
    display_name: str
    avatar_url: str | None
    is_bot: bool


class Presence(msgspec.Struct):
    status: Status
    last_seen_at: Timestamp | None


class UserPresence(msgspec.Struct):
    """Whether somebody is here, and when their status last changed, or they were last here."""

    user_id: UUID
    status: Status
    last_seen_at: Timestamp | None


class UserProfile(UserCard):
    """A user as another one sees them. `relationship` is the viewer's to them; `presence` is for friends and room-mates."""

    bio: str
    created_at: Timestamp
    presence: Presence
    relationship: Relationship


class Settings(msgspec.Struct):
    """What a user has chosen.

    `last_seen` is who sees whether they are here, of their friends and room-mates; `read_receipts` whether others see
    how far they have read, and they how far others have; `messages_from` who may open a direct room with them, and
    `invites_from` who may add them to a group.
    """

    last_seen: Literal["everyone", "friends", "nobody"]
    read_receipts: bool
    messages_from: Literal["everyone", "friends"]
    invites_from: Literal["everyone", "friends"]


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
    settings: Settings
    suspension: Suspension | None


class Tokens(msgspec.Struct):
    """What a refresh gives. `expires_in` is the access token's life in seconds."""

    access: str
    refresh: str
    expires_in: int


class LoggedIn(Tokens):
    """What a registration or a login gives."""

    user: Me
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a scheme, no secret


class Ticket(msgspec.Struct):
    """Opens one socket: `/ws?ticket=…`. `expires_in` is in seconds."""

    ticket: str
    expires_in: int


class SessionInfo(msgspec.Struct):
    """A login on one device; `current` is the one that asks."""

    id: UUID
    device_name: str
    ip: str | None
    user_agent: str
    created_at: Timestamp
    last_used_at: Timestamp
    current: bool


class ExportedSession(msgspec.Struct):
    """A login on one device, over or not, in its owner's export."""

    id: UUID
    device_name: str
    ip: str | None
    user_agent: str
    created_at: Timestamp
    last_used_at: Timestamp
    ended_at: Timestamp | None


class UserPage(Page[UserProfile]):
    """A page of users."""


class SessionPage(Page[SessionInfo]):
    """A page of sessions."""


CARD_COLUMNS = ("id", "username", "display_name", "avatar", "is_bot")


def user_card(user: User) -> UserCard:
    """The card of a user; needs the user's row only."""
    return card_of(user.id, user.username, user.display_name, user.avatar, user.is_bot)


def card_of(id_: UUID, username: str, display_name: str, avatar: str, is_bot: bool) -> UserCard:  # noqa: FBT001 - a column
    """The card of a user, of the CARD_COLUMNS of their row."""
    return UserCard(id_, username, display_name or username, avatars.url(avatar), is_bot)


def erased(shown: Any, user: User) -> Any:
    """What a frame shows, with no more of an erased user than is left of them, wherever it shows them."""
    left = {
        **msgspec.to_builtins(user_card(user)),
        **_UNTOLD,
        "settings": msgspec.to_builtins(settings(user)),
    }
    return log.changed(shown, str(user.id), left)


_UNTOLD: dict[str, Any] = {
    "bio": "",
    "email": "",
    "email_verified": False,
    "is_staff": False,
    "presence": {"status": "offline", "last_seen_at": None},
}


def presence(user: User, status: Status) -> Presence:
    """Whether a user is here."""
    return Presence(status=status, last_seen_at=rfc3339(user.last_seen_at))


UNKNOWN_PRESENCE = Presence(status="offline", last_seen_at=None)
"""What those see who may not know."""


def user_presence(user_id: UUID, seen: Presence) -> UserPresence:
    """Whether a user is here, in a list."""
    return UserPresence(user_id, seen.status, seen.last_seen_at)


def user_profile(user: User, relationship: Relationship, seen: Presence) -> UserProfile:
    """A user as a viewer sees them who is in `relationship` to them."""
    return UserProfile(
        **msgspec.structs.asdict(user_card(user)),
        bio=user.bio,
        created_at=rfc3339(user.created_at),
        presence=seen,
        relationship=relationship,
    )


def me(user: User) -> Me:
    """The account as its owner sees it."""
    return Me(
        **msgspec.structs.asdict(user_card(user)),
        bio=user.bio,
        created_at=rfc3339(user.created_at),
        presence=presence(user, presence_store.statuses([user.id])[user.id]),
        email=user.email,
        email_verified=user.email_verified,
        is_staff=user.is_staff,
        settings=settings(user),
        suspension=None,
    )


def settings(user: User) -> Settings:
    """All that the user has chosen, what they have left as it was included."""
    return Settings(**{name: getattr(user, name) for name in Settings.__struct_fields__})


def session_info(session: Session, *, current_id: UUID) -> SessionInfo:
    """A session in its owner's list; `current_id` is the session that asks."""
    return SessionInfo(
        id=session.id,
        device_name=session.device_name,
        ip=session.ip,
        user_agent=session.user_agent,
        created_at=rfc3339(session.created_at),
        last_used_at=rfc3339(session.last_used_at),
        current=session.id == current_id,
    )


def exported_session(session: Session) -> ExportedSession:
    """A session in its owner's export."""
    return ExportedSession(
        id=session.id,
        device_name=session.device_name,
        ip=session.ip,
        user_agent=session.user_agent,
        created_at=rfc3339(session.created_at),
        last_used_at=rfc3339(session.last_used_at),
        ended_at=rfc3339(session.revoked_at),
    )
