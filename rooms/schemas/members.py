"""Members of a room as clients see them, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from accounts.models import User
from accounts.schemas import UserCard, user_card
from core.pagination import Page
from core.timestamps import Timestamp, rfc3339
from rooms.models import Membership

Role = Annotated[str, msgspec.Meta(extra_json_schema={"enum": Membership.Role.values})]


class Member(msgspec.Struct):
    """A member; one who is muted by the admins sends nothing until `muted_until`.

    `last_read_seq` is null where the member, or the viewer, keeps to themselves how far they have read.
    """

    user: UserCard
    role: Role
    muted_until: Timestamp | None
    joined_at: Timestamp
    last_read_seq: int | None
    last_delivered_seq: int


class MemberPage(Page[Member]):
    pass


class FailedMember(msgspec.Struct):
    """A user who could not be added; `code` is one of the error catalogue's."""

    user_id: UUID
    code: str


class AddedMembers(msgspec.Struct):
    """What became of each user that was to be added, in the order of asking."""

    added: list[UUID]
    already: list[UUID]
    failed: list[FailedMember]


class MemberChange(msgspec.Struct):
    """The data of `member.added` and of `member.updated`."""

    room_id: UUID
    user: UserCard
    role: Role
    muted_until: Timestamp | None
    by: UUID


EndReason = Literal["left", "removed", "banned"]


class MemberRemoved(msgspec.Struct):
    """The data of `member.removed`."""

    room_id: UUID
    user: UserCard
    reason: EndReason
    by: UUID


class ExportedMembership(msgspec.Struct):
    """A user's part in a room, in their export; `room` and `peer` are null once they are no member."""

    room_id: UUID
    room: str | None
    peer: UserCard | None
    is_member: bool
    role: Role
    joined_at: Timestamp
    last_read_seq: int
    muted_until: Timestamp | None
    pinned: bool


def member(viewer: User, membership: Membership) -> Member:
    """A member as the viewer sees them; needs the membership with its user."""
    is_shown = membership.user.shows_reading_to(viewer)
    return Member(
        user=user_card(membership.user),
        role=membership.role,
        muted_until=rfc3339(membership.silenced_until),
        joined_at=rfc3339(membership.joined_at),
        last_read_seq=membership.last_read_seq if is_shown else None,
        last_delivered_seq=membership.last_delivered_seq,
    )


def member_change(membership: Membership, *, by: UUID) -> MemberChange:
    """What a member is now; needs the membership with its user."""
    return MemberChange(
        room_id=membership.room_id,
        user=user_card(membership.user),
        role=membership.role,
        muted_until=rfc3339(membership.silenced_until),
        by=by,
    )


def exported_memberships(rows: Sequence[Membership]) -> list[ExportedMembership]:
    """One user's; needs them with their rooms."""
    direct = [row.room_id for row in rows if row.is_active and row.room.is_direct]
    others = Membership.active.filter(room__in=direct).exclude(pk__in=[row.pk for row in rows])
    peers = {row.room_id: user_card(row.user) for row in others.select_related("user")}
    return [
        ExportedMembership(
            room_id=row.room_id,
            room=row.room.name if row.is_active else None,
            peer=peers.get(row.room_id),
            is_member=row.is_active,
            role=row.role,
            joined_at=rfc3339(row.joined_at),
            last_read_seq=row.last_read_seq,
            muted_until=rfc3339(row.muted_until),
            pinned=row.pinned,
        )
        for row in rows
    ]
