"""Reads of users and sessions."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from accounts.models import User
from core.errors import NotFound


def get_user(viewer: User, user_id: UUID) -> User:
    """A user that the viewer may see. Raises NotFound."""
    user = User.objects.filter(id=user_id, is_active=True).first()
    if user is None:
        raise NotFound
    return user


def users_by_id(viewer: User, user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """Those of the named users that the viewer may see."""
    return {user.id: user for user in User.objects.filter(id__in=set(user_ids), is_active=True)}
