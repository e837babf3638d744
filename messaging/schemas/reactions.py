"""Reactions to messages."""

from __future__ import annotations

from uuid import UUID

import msgspec

from messaging.schemas.messages import Reaction


class Reactions(msgspec.Struct):
    """All reactions to a message, by emoji, in the order of its code points."""

    reactions: list[Reaction]


class ReactionChanged(msgspec.Struct):
    """The `data` of `reaction.added` and `reaction.removed`, and of the `ack` of `reaction.add` and `reaction.remove`.

    `count` is how many have reacted with this emoji now.
    """

    message_id: UUID
    room_id: UUID
    seq: int
    emoji: str
    user_id: UUID
    count: int
