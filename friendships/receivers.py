"""Answers to what the apps below ask."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.dispatch import receiver

from accounts.models import User
from accounts.schemas import Acquaintance, Relationship
from accounts.signals import acquaintances_asked, hidden_users_asked, relationships_asked
from friendships.models import Block
from friendships.selectors import blockers_of, friends_among, relationships_of


@receiver(relationships_asked)
def tell_relationships(*, viewer: User, user_ids: Iterable[UUID], **_signal: Any) -> dict[UUID, Relationship]:
    return relationships_of(viewer, user_ids)


@receiver(acquaintances_asked)
def tell_friends(*, viewer: User, user_ids: Collection[UUID], **_signal: Any) -> dict[UUID, Acquaintance]:
    return dict.fromkeys(friends_among(viewer, user_ids), "friend")


@receiver(hidden_users_asked)
def tell_blockers(*, viewer: User, **_signal: Any) -> QuerySet[Block, UUID]:
    return blockers_of(viewer)
