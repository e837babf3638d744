"""Editing and deleting what was sent."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from core import rows
from core.errors import EditWindowClosed, Forbidden, ValidationFailed
from core.transactions import transactional
from eventlog.log import LockedStreams
from messaging import events, schemas
from messaging.models import Mention, Message, Pin, Reaction, Revision
from messaging.schemas import MessageDeleted, MessageUpdated
from messaging.selectors import mentions_of
from messaging.services.access import lock_message, lock_message_to_write
from messaging.services.drafts import wrong_content
from messaging.services.mentions import find_mentions

_SCRUBBED = (
    *("content", "file_url", "file", "forwarded_sender", "forwarded_at"),
    *("pinned_at", "reaction_count", "deleted_at", "deleted_by"),
)


@transactional
def edit_message(user_id: UUID, *, message_id: UUID, content: str) -> MessageUpdated:
    """Let a message of the user's say something else; what it said is kept. The same again changes nothing.

    Raises:
        NotFound: no such message that the user may read.
        Forbidden: it is someone else's, or was: what is forwarded stays what its first sender said.
        EditWindowClosed: it was sent more than EDIT_WINDOW_SECONDS ago.
        ValidationFailed: the rules of sending.
        RoomLocked, Muted, Blocked
        Conflict: it is deleted.

    Emits:
        message.updated: on the room's stream.
    """
    streams, _, message = lock_message_to_write(user_id, message_id)
    if message.sender_id != user_id or message.forwarded_sender_id is not None:
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


@transactional
def delete_message(user_id: UUID, *, message_id: UUID) -> MessageDeleted:
    """Erase what a message said, here and in the log; its number stays. A repeat changes nothing.

    Authors may always, also where nobody may write: what one has said is one's own to take back.

    Raises:
        NotFound: no such message that the user may read.
        Forbidden: it is someone else's, and the user is neither admin nor owner.

    Emits:
        message.deleted: on the room's stream. It stands for the end of the message's reactions and pin, too.
    """
    streams, membership, message = lock_message(user_id, message_id)
    if message.sender_id != user_id and not membership.may_administer:
        raise Forbidden
    if message.deleted_at is None:
        bury_message(streams, message, by=user_id)
    return schemas.message_deleted(message)


def bury_message(streams: LockedStreams, message: Message, *, by: UUID) -> None:
    """Leave a tombstone of a message, whose room's stream is locked."""
    for model in (Revision, Reaction, Mention, Pin):
        model.objects.filter(message=message).delete()
    message.content, message.file_url, message.file = "", None, None
    message.forwarded_sender = message.forwarded_at = None
    message.pinned_at, message.reaction_count = None, 0
    message.deleted_at = timezone.now()
    is_author = message.sender_id == by
    message.deleted_by = Message.DeletedBy.AUTHOR if is_author else Message.DeletedBy.MODERATOR
    message.save(update_fields=_SCRUBBED)
    if message.reply_to_id is not None:
        Message.objects.filter(id=message.reply_to_id).update(reply_count=F("reply_count") - 1)
    replies = Message.objects.filter(reply_to=message).values_list("id", flat=True)
    events.message_deleted(streams, message, by=by, quoted_by=list(replies))
