"""Answers to what the apps below ask."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.models import User
from accounts.schemas import Acquaintance
from accounts.signals import acquaintances_asked
from friendships.selectors import apart_from
from rooms.selectors import room_mates


@receiver(acquaintances_asked)
def tell_room_mates(*, viewer: User, user_ids: Collection[UUID], **_signal: Any) -> dict[UUID, Acquaintance]:
    return dict.fromkeys(room_mates(viewer, user_ids) - apart_from(viewer.id), "room_mate")
