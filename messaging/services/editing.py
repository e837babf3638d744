"""Editing what was sent."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from core import rows
from core.errors import EditWindowClosed, Forbidden, ValidationFailed
from core.transactions import transactional
from messaging import events, schemas
from messaging.models import Mention, Revision
from messaging.schemas import MessageUpdated
from messaging.selectors import mentions_of
from messaging.services.access import lock_message_to_write
from messaging.services.drafts import wrong_content
from messaging.services.mentions import find_mentions


@transactional
def edit_message(user_id: UUID, *, message_id: UUID, content: str) -> MessageUpdated:
    """Let a message of the user's say something else; what it said is kept. The same again changes nothing.

    Raises:
        NotFound: no such message that the user may read.
        Forbidden: it is someone else's.
        EditWindowClosed: it was sent more than EDIT_WINDOW_SECONDS ago.
        ValidationFailed: the rules of sending.
        RoomLocked, Blocked
        Conflict: it is deleted.

    Emits:
        message.updated: on the room's stream.
    """
    streams, _, message = lock_message_to_write(user_id, message_id)
    if message.sender_id != user_id:
        raise Forbidden
    now = timezone.now()
    if now - message.created_at > timedelta(seconds=settings.EDIT_WINDOW_SECONDS):
        raise EditWindowClosed
    if errors := list(wrong_content(content, has_file=message.file_url is not None)):
        raise ValidationFailed(errors=errors)
    before = set(mentions_of([message.id]).get(message.id, ()))
    if content == message.content:
        message.mentioned = sorted(before)
        return schemas.message_updated(message)
    Revision.objects.create(message=message, content=message.content, edited_at=now)
    message.content, message.edited_at = content, now
    message.save(update_fields=["content", "edited_at"])
    mentions = find_mentions([message])
    Mention.objects.filter(message=message, user__in=before.difference(message.mentioned)).delete()
    rows.insert([mention for mention in mentions if mention.user_id not in before])
    events.message_updated(streams, message)
    return schemas.message_updated(message)
