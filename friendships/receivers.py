"""Answers to what the apps below ask."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.models import User
from accounts.schemas import Relationship
from accounts.signals import acquaintances_asked, relationships_asked
from friendships.selectors import friends_among, relationships_of


@receiver(relationships_asked)
def tell_relationships(*, viewer: User, user_ids: Iterable[UUID], **_signal: Any) -> dict[UUID, Relationship]:
    return relationships_of(viewer, user_ids)


@receiver(acquaintances_asked)
def tell_friends(*, viewer: User, user_ids: Collection[UUID], **_signal: Any) -> set[UUID]:
    return friends_among(viewer, user_ids)
