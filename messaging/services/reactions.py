"""Reacting to messages with an emoji."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from core.errors import Conflict
from core.transactions import transactional
from eventlog.log import LockedStreams
from messaging import events
from messaging.models import Message, Reaction
from messaging.schemas import ReactionChanged
from messaging.services.access import lock_message, lock_message_to_write
from messaging.services.emoji import checked_emoji


@transactional
def add_reaction(user_id: UUID, *, message_id: UUID, emoji: str) -> ReactionChanged:
    """React to a message, once with each emoji; a repeat changes nothing.

    Raises:
        ValidationFailed: not one emoji.
        NotFound: no such message that the user may read.
        Conflict: it is deleted, or there are MAX_REACTIONS other emoji on it.
        RoomLocked, Muted, Blocked

    Emits:
        reaction.added: on the room's stream.
    """
    emoji = checked_emoji(emoji)
    streams, _, message = lock_message_to_write(user_id, message_id)
    reactions = Reaction.objects.filter(message=message)
    is_new = not reactions.filter(emoji=emoji, user_id=user_id).exists()
    if is_new:
        others = reactions.exclude(emoji=emoji).values("emoji").distinct()
        if others.count() >= settings.MAX_REACTIONS:
            raise Conflict(f"At most {settings.MAX_REACTIONS} different emoji on a message.")
        Reaction.objects.create(message=message, emoji=emoji, user_id=user_id)
        _count(message, 1)
    changed = _now(message, emoji, user_id)
    if is_new:
        events.reaction_added(streams, message, changed)
    return changed


@transactional
def remove_reaction(user_id: UUID, *, message_id: UUID, emoji: str) -> ReactionChanged:
    """Take a reaction back, also where nobody may write; without one, nothing changes.

    Raises:
        ValidationFailed: not one emoji.
        NotFound: no such message that the user may read.

    Emits:
        reaction.removed: on the room's stream.
    """
    emoji = checked_emoji(emoji)
    streams, _, message = lock_message(user_id, message_id)
    return take_back(streams, message, emoji, user_id)


def take_back(streams: LockedStreams, message: Message, emoji: str, user_id: UUID) -> ReactionChanged:
    """Take a reaction off a message, whose room's stream is locked."""
    removed, _ = Reaction.objects.filter(message=message, emoji=emoji, user_id=user_id).delete()
    changed = _now(message, emoji, user_id)
    if removed:
        _count(message, -1)
        events.reaction_removed(streams, message, changed)
    return changed


def _count(message: Message, change: int) -> None:
    message.reaction_count += change
    message.save(update_fields=["reaction_count"])


def _now(message: Message, emoji: str, user_id: UUID) -> ReactionChanged:
    return ReactionChanged(
        message_id=message.id,
        room_id=message.room_id,
        seq=message.seq,
        emoji=emoji,
        user_id=user_id,
        count=Reaction.objects.filter(message=message, emoji=emoji).count(),
    )
