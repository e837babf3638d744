"""Answers what the apps below ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.models import User
from messaging import schemas, selectors
from rooms.models import Room
from rooms.signals import last_messages_asked


@receiver(last_messages_asked)
def tell_last_messages(viewer: User | None, rooms: Sequence[Room], **_: Any) -> dict[UUID, schemas.Message]:
    return selectors.last_messages(viewer, rooms)
