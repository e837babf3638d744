"""Bans and invites as clients see them."""

from __future__ import annotations

from uuid import UUID

import msgspec

from accounts.schemas import UserCard, user_card
from core.pagination import Page
from core.timestamps import Timestamp, rfc3339
from rooms import models


class Ban(msgspec.Struct):
    """Who may not come into a room, until when, and who said so; `expires_at` null: for ever."""

    user: UserCard
    reason: str
    expires_at: Timestamp | None
    by: UUID | None
    created_at: Timestamp


class BanPage(Page[Ban]):
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
