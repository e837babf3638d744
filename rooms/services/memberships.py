"""How memberships begin and end, whoever wants it: the room's stream and the users' are locked."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from accounts.models import User
from core.errors import Forbidden
from eventlog.log import LockedStreams, user_stream
from rooms import events
from rooms.models import Membership, Room
from rooms.schemas import EndReason
from rooms.selectors import get_membership

_BEGINNING = (
    *("role", "joined_at", "joined_pos", "left_pos"),
    *("reads_after", "last_read_seq", "last_delivered_seq"),
)


def begin(streams: LockedStreams, room: Room, memberships: list[Membership], *, by: User) -> None:
    """Let memberships begin, new ones and ended ones alike."""
    now = timezone.now()
    for membership in memberships:
        membership.role = Membership.Role.MEMBER
        membership.joined_at = now
        # Behind the `member.added` of everyone who joins in this call.
        membership.joined_pos = streams.head(room.stream) + len(memberships)
        membership.left_pos = None
        membership.reads_after = room.last_seq if room.history == Room.History.JOINED else 0
        membership.last_read_seq = membership.last_delivered_seq = room.last_seq
    Membership.objects.bulk_update([row for row in memberships if row.pk], fields=_BEGINNING)
    Membership.objects.bulk_create([row for row in memberships if not row.pk])
    _count(room, len(memberships))
    events.member_added(streams, room, memberships, by=by)
    events.room_joined(streams, room, memberships, by=by)


def membership_to_be(user: User, room: Room) -> Membership:
    """A membership to begin: the ended one, if there was one."""
    row = Membership.objects.filter(room=room, user=user).first() or Membership()
    row.room, row.user = room, user
    return row


def end(streams: LockedStreams, membership: Membership, *, reason: EndReason, by: User) -> None:
    membership.left_pos = streams.head(membership.room.stream) + 1
    membership.save(update_fields=["left_pos"])
    _count(membership.room, -1)
    events.member_removed(streams, membership.room, membership, reason=reason, by=by)


def is_last_owner(membership: Membership) -> bool:
    """Whether the room would be left without an owner."""
    owners = Membership.active.filter(room=membership.room, role=Membership.Role.OWNER)
    return membership.is_owner and not owners.exclude(pk=membership.pk).exists()


def _count(room: Room, change: int) -> None:
    room.member_count += change
    room.updated_at = timezone.now()
    room.save(update_fields=["member_count", "updated_at"])


def group_of(actor: User, room_key: str) -> Room:
    """The group, as it was before any lock: its id and type never change."""
    room = get_membership(actor.id, room_key).room
    if room.is_direct:
        raise Forbidden("A direct room stays as it is.")
    return room


def user_streams(users: Iterable[User]) -> list[str]:
    return [user_stream(user.id) for user in users]
