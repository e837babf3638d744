"""Bans and invites as clients see them."""

from __future__ import annotations

from uuid import UUID

import msgspec

from accounts.schemas import UserCard, user_card
from core.pagination import Page
from core.storage import avatars
from core.timestamps import Timestamp, rfc3339
from rooms import models


class Ban(msgspec.Struct):
    """Who may not come into a room, until when, and who said so; `expires_at` null: for ever."""

    user: UserCard
    reason: str
    expires_at: Timestamp | None
    by: UUID | None
    created_at: Timestamp


class Invite(msgspec.Struct):
    """What lets others into a room; null: as often, and for as long, as they like."""

    code: str
    room_id: UUID
    max_uses: int | None
    uses: int
    expires_at: Timestamp | None
    by: UUID | None
    created_at: Timestamp


class InvitePreview(msgspec.Struct):
    """What one who is invited sees of the room before they come in."""

    name: str
    topic: str
    avatar_url: str | None
    member_count: int
    expires_at: Timestamp | None


class BanPage(Page[Ban]):
    pass


class InvitePage(Page[Invite]):
    pass


def ban(row: models.Ban) -> Ban:
    """Needs the row's `user`."""
    return Ban(
        user=user_card(row.user),
        reason=row.reason,
        expires_at=rfc3339(row.expires_at),
        by=row.banned_by_id,
        created_at=rfc3339(row.created_at),
    )


def invite(row: models.Invite) -> Invite:
    """An invite as the room's admins see it."""
    return Invite(
        code=row.code,
        room_id=row.room_id,
        max_uses=row.max_uses,
        uses=row.uses,
        expires_at=rfc3339(row.expires_at),
        by=row.created_by_id,
        created_at=rfc3339(row.created_at),
    )


def invite_preview(row: models.Invite) -> InvitePreview:
    """Needs the row's `room`."""
    return InvitePreview(
        name=row.room.name,
        topic=row.room.topic,
        avatar_url=avatars.url(row.room.avatar),
        member_count=row.room.member_count,
        expires_at=rfc3339(row.expires_at),
    )
