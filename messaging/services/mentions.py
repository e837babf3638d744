"""Whom messages mention: `@username`, of a member of the room."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import islice
from uuid import UUID

from django.conf import settings

from core.text import comparison_key
from messaging.models import Mention, Message
from rooms.models import Membership

# In text that is folded as names are. An e-mail address, a path and a name at another server are no mentions.
_NAME = re.compile(r"(?<![a-z0-9+/])@([\w.-]{3,96}+)(?![\w.-]|@\w)")


def find_mentions(messages: Sequence[Message]) -> list[Mention]:
    """Whom each of the messages mentions: as rows that are not saved, and as its `mentioned`.

    The first MAX_MENTIONS names of each are looked for. One query for all of them; none without an "@". Who forwards
    a message names nobody with it.
    """
    own = [message for message in messages if message.forwarded_sender_id is None]
    named = {message.id: _names(message.content) for message in own if "@" in message.content}
    rooms = {message.room_id for message in messages if named.get(message.id)}
    members = _members(rooms, {name for names in named.values() for name in names})
    mentions = []
    for message in messages:
        found = {members.get((message.room_id, name)) for name in named.get(message.id, ())}
        message.mentioned = sorted(user_id for user_id in found if user_id is not None)
        mentions += [
            Mention(message=message, user_id=user_id, room_id=message.room_id, seq=message.seq)
            for user_id in message.mentioned
        ]
    return mentions


def _names(content: str) -> set[str]:
    """What may be names in `content`: as they stand, and without what ends a sentence."""
    found = dict.fromkeys(match[1] for match in _NAME.finditer(comparison_key(content)))
    first = list(islice(found, settings.MAX_MENTIONS))
    return {*first, *(name.rstrip("._-") for name in first)}


def _members(room_ids: Collection[UUID], names: Collection[str]) -> dict[tuple[UUID, str], UUID]:
    """The members of the rooms who have one of the names, by room and name."""
    if not names:
        return {}
    rows = Membership.active.filter(room__in=room_ids, user__username_key__in=names)
    return {
        (room_id, name): user_id
        for room_id, name, user_id in rows.values_list("room_id", "user__username_key", "user_id")
    }
