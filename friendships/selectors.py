"""Reads of friends, friend requests and blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.schemas import Relationship
from accounts.selectors import friends_here, get_active_user
from core.errors import Blocked, NotFound
from core.text import comparison_key
from friendships.models import Block, FriendRequest, Friendship, pair_key

Direction = Literal["incoming", "outgoing"]


def friends_of(viewer: User, *, search: str = "", online: bool | None = None) -> QuerySet[Friendship]:
    """The viewer's friends, each with its user.

    With `search` those whose user name or shown name begins so; with `online` those only who are here, or who are not.
    """
    rows = Friendship.objects.filter(user=viewer).select_related("friend")
    if key := comparison_key(search):
        rows = rows.filter(
            Q(friend__username_key__startswith=key) | Q(friend__display_name_key__startswith=key)
        )
    if online is not None:
        here = Q(friend__in=friends_here(row.friend for row in rows))
        rows = rows.filter(here if online else ~here)
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
    """What those of the named users are to the viewer that are friends, are asked, ask, or are blocked. Three queries."""
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
    blocks = Block.objects.filter(blocker=viewer, blocked_id__in=ids)
    found.update(dict.fromkeys(blocks.values_list("blocked_id", flat=True), "blocked"))
    return found


def get_reachable_user(viewer: User, user_id: UUID) -> User:
    """A user whom the viewer may ask or write to.

    Raises:
        NotFound: no such user.
        Blocked: one of the two has blocked the other. Nothing tells which.
    """
    user = get_active_user(user_id)
    if blocked_pairs([pair_key(viewer.id, user.id)]):
        raise Blocked
    return user


def closed_to(
    actor: User, user_ids: Collection[UUID], *, switch: Literal["messages_from", "invites_from"]
) -> set[UUID]:
    """Those of the named users who leave it to their friends, of whom the actor is none, to do what the switch is about."""
    friends = Friendship.objects.filter(user=actor).values("friend_id")
    choosy = User.objects.filter(id__in=user_ids, **{switch: User.Audience.FRIENDS}).exclude(id=actor.id)
    return set(choosy.exclude(id__in=friends).values_list("id", flat=True))


def blocks_of(viewer: User) -> QuerySet[Block]:
    """The viewer's blocks, each with the user who is blocked."""
    return Block.objects.filter(blocker=viewer).select_related("blocked")


def blockers_of(viewer: User) -> QuerySet[Block, UUID]:
    """The ids of those who have blocked the viewer."""
    return Block.objects.filter(blocked=viewer).values_list("blocker_id", flat=True)


def blocked_pairs(keys: Iterable[str]) -> set[str]:
    """Those of the pairs, by `pair_key`, of whom one has blocked the other."""
    return set(Block.objects.filter(pair_key__in=set(keys)).values_list("pair_key", flat=True))


def apart_from(user_id: UUID) -> set[UUID]:
    """Whom the user has blocked, and who has blocked the user."""
    rows = Block.objects.filter(Q(blocker_id=user_id) | Q(blocked_id=user_id))
    return {id_ for pair in rows.values_list("blocker_id", "blocked_id") for id_ in pair} - {user_id}
