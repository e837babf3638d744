"""Reads of what the viewer has not read."""

from __future__ import annotations

from django.db.models import Count, F

from accounts.models import User
from messaging import schemas
from messaging.models import Mention
from rooms.models import Membership


def unread_of(viewer: User) -> schemas.Unread:
    """The viewer's rooms with something to read; two queries, however many they are."""
    unread = F("room__last_seq") - F("last_read_seq")
    rooms = Membership.active.filter(user=viewer, room__last_seq__gt=F("last_read_seq"))
    rows = rooms.order_by("-room__last_activity_at", "-room_id").values_list("room_id", unread)
    # One filter() call: its conditions on memberships then mean the same row.
    mentions = Mention.objects.filter(
        user=viewer,
        room__memberships__user=viewer,
        room__memberships__left_pos=None,
        seq__gt=F("room__memberships__last_read_seq"),
    )
    mentioned = dict(mentions.values_list("room_id").annotate(Count("seq")))
    found = [schemas.UnreadRoom(room_id, count, mentioned.get(room_id, 0)) for room_id, count in rows]
    return schemas.Unread(total=sum(room.unread_count for room in found), rooms=found)
