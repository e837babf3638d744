"""Friends, friend requests and blocks as clients see them: the same objects in REST answers and in frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast
from uuid import UUID

import msgspec

from accounts.schemas import UserCard, user_card
from core.pagination import Page
from core.timestamps import Timestamp, rfc3339
from friendships import models


class Friend(msgspec.Struct):
    user: UserCard
    since: Timestamp


Status = Literal["pending", "accepted", "rejected", "cancelled"]


class FriendRequest(msgspec.Struct):
    """Someone's question to someone else. `message` is "" where the sender wrote none."""

    id: UUID
    from_: UserCard = msgspec.field(name="from")
    to: UserCard
    message: str
    status: Status
    created_at: Timestamp


class FriendRemoved(msgspec.Struct):
    """`user` is the one who is no friend of the recipient's any more."""

    user: UserCard


class Block(msgspec.Struct):
    """`user` is the one whom the caller has blocked."""

    user: UserCard
    since: Timestamp


class FriendPage(Page[Friend]):
    pass


class FriendRequestPage(Page[FriendRequest]):
    pass


class BlockPage(Page[Block]):
    pass


def friends(rows: Iterable[models.Friendship]) -> list[Friend]:
    """Needs the rows' `friend`."""
    return [Friend(user=user_card(row.friend), since=rfc3339(row.since)) for row in rows]


def friend_request(row: models.FriendRequest) -> FriendRequest:
    """Needs the row's two users."""
    return FriendRequest(
        id=row.id,
        from_=user_card(row.from_user),
        to=user_card(row.to_user),
        message=row.message,
        status=cast(Status, row.status),
        created_at=rfc3339(row.created_at),
    )


def friend_requests(rows: Iterable[models.FriendRequest]) -> list[FriendRequest]:
    """Needs the rows' two users."""
    return [friend_request(row) for row in rows]


def blocks(rows: Iterable[models.Block]) -> list[Block]:
    """Needs the rows' `blocked`."""
    return [Block(user=user_card(row.blocked), since=rfc3339(row.created_at)) for row in rows]
