"""Answers to what the apps below ask."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.dispatch import receiver

from accounts.models import User
from accounts.schemas import Acquaintance, Relationship
from accounts.signals import (
    Exported,
    acquaintances_asked,
    erasure_asked,
    export_asked,
    hidden_users_asked,
    relationships_asked,
)
from core.rows import pages
from friendships import schemas, services
from friendships.models import Block, FriendRequest
from friendships.selectors import (
    blockers_of,
    blocks_of,
    friends_among,
    friends_of,
    relationships_of,
)


@receiver(relationships_asked)
def tell_relationships(*, viewer: User, user_ids: Iterable[UUID], **_signal: Any) -> dict[UUID, Relationship]:
    return relationships_of(viewer, user_ids)


@receiver(acquaintances_asked)
def tell_friends(*, viewer: User, user_ids: Collection[UUID], **_signal: Any) -> dict[UUID, Acquaintance]:
    return dict.fromkeys(friends_among(viewer, user_ids), "friend")


@receiver(hidden_users_asked)
def tell_blockers(*, viewer: User, **_signal: Any) -> QuerySet[Block, UUID]:
    return blockers_of(viewer)


@receiver(erasure_asked)
def end_all(*, user: User, **_signal: Any) -> None:
    services.end_all(user)


@receiver(export_asked)
def tell_all(*, user: User, **_signal: Any) -> list[Exported]:
    with_users = FriendRequest.objects.select_related("from_user", "to_user")
    requests = chain(pages(with_users.filter(from_user=user)), pages(with_users.filter(to_user=user)))
    return [
        Exported(
            "friends.json",
            "Your friends, and since when.",
            chain.from_iterable(map(schemas.friends, pages(friends_of(user)))),
        ),
        Exported(
            "requests.json",
            "Whom you asked to be friends, who asked you, and what became of it.",
            chain.from_iterable(map(schemas.friend_requests, requests)),
        ),
        Exported(
            "blocks.json",
            "Whom you have blocked.",
            chain.from_iterable(map(schemas.blocks, pages(blocks_of(user)))),
        ),
    ]
