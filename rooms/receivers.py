"""Answers to what the apps below ask."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.models import User
from accounts.schemas import Acquaintance
from accounts.signals import Exported, acquaintances_asked, erasure_asked, export_asked
from core.rows import pages
from friendships.selectors import apart_from
from rooms import schemas, services
from rooms.models import Membership
from rooms.selectors import room_mates


@receiver(acquaintances_asked)
def tell_room_mates(*, viewer: User, user_ids: Collection[UUID], **_signal: Any) -> dict[UUID, Acquaintance]:
    return dict.fromkeys(room_mates(viewer, user_ids) - apart_from(viewer.id), "room_mate")


@receiver(erasure_asked)
def leave_all(*, user: User, **_signal: Any) -> None:
    services.leave_all(user)


@receiver(export_asked)
def tell_all(*, user: User, **_signal: Any) -> list[Exported]:
    memberships = pages(Membership.objects.filter(user=user).select_related("room"))
    rows = chain.from_iterable(map(schemas.exported_memberships, memberships))
    return [Exported("rooms.json", "The rooms that you are in, or were; of these only when it began.", rows)]
