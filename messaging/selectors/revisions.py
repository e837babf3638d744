"""Reads of what messages said before."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from core.errors import NotFound
from messaging.models import Revision
from messaging.selectors.messages import readable_messages


def revisions_of(viewer: User, message_id: UUID) -> QuerySet[Revision]:
    """What a message that the viewer may read said before each of its edits. Raises NotFound."""
    if not readable_messages(viewer).filter(id=message_id).exists():
        raise NotFound
    return Revision.objects.filter(message_id=message_id)
