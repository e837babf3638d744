"""Reads of friends and friend requests."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.schemas import Relationship
from core.errors import NotFound
from core.text import comparison_key
from friendships.models import FriendRequest, Friendship, pair_key

Direction = Literal["incoming", "outgoing"]


def friends_of(viewer: User, *, search: str = "") -> QuerySet[Friendship]:
    """The viewer's friends, each with its user; those only whose user name or shown name begins with `search`."""
    rows = Friendship.objects.filter(user=viewer).select_related("friend")
    if key := comparison_key(search):
        rows = rows.filter(
            Q(friend__username_key__startswith=key) | Q(friend__display_name_key__startswith=key)
        )
    return rows


def friend_ids_of(user_id: UUID) -> set[UUID]:
    return set(Friendship.objects.filter(user_id=user_id).values_list("friend_id", flat=True))


def friends_among(viewer: User, user_ids: Collection[UUID]) -> set[UUID]:
    """Those of the named users who are friends of the viewer."""
    rows = Friendship.objects.filter(user=viewer, friend_id__in=user_ids)
    return set(rows.values_list("friend_id", flat=True))


def are_friends(one: UUID, other: UUID) -> bool:
    return Friendship.objects.filter(user_id=one, friend_id=other).exists()


def requests_of(viewer: User, *, direction: Direction, status: str) -> QuerySet[FriendRequest]:
    """The requests that the viewer got (incoming) or sent (outgoing), each with its two users."""
    mine = Q(to_user=viewer) if direction == "incoming" else Q(from_user=viewer)
    return FriendRequest.objects.filter(mine, status=status).select_related("from_user", "to_user")


def get_request(viewer: User, request_id: UUID) -> FriendRequest:
    """A request that the viewer sent or got, with its two users. Raises NotFound."""
    rows = FriendRequest.objects.select_related("from_user", "to_user")
    request = rows.filter(Q(from_user=viewer) | Q(to_user=viewer), id=request_id).first()
    if request is None:
        raise NotFound
    return request


def relationships_of(viewer: User, user_ids: Iterable[UUID]) -> dict[UUID, Relationship]:
    """What those of the named users are to the viewer that are friends, or are asked, or ask. Two queries."""
    ids = set(user_ids)
    found: dict[UUID, Relationship] = {}
    pending = FriendRequest.objects.filter(pending_key__in=[pair_key(viewer.id, id_) for id_ in ids])
    for sender_id, recipient_id in pending.values_list("from_user_id", "to_user_id"):
        if sender_id == viewer.id:
            found[recipient_id] = "outgoing"
        else:
            found[sender_id] = "incoming"
    friends = Friendship.objects.filter(user=viewer, friend_id__in=ids)
    found.update(dict.fromkeys(friends.values_list("friend_id", flat=True), "friends"))
    return found
