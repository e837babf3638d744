"""The socket door: `message` and what becomes of it, `reaction.*`, `typing`, `read`, `delivered`."""

from __future__ import annotations

from collections import Counter
from typing import Annotated
from uuid import UUID

import msgspec

from core.errors import ChatError, RateLimited
from messaging import schemas, services
from messaging.schemas import MessageDeleted, MessageUpdated, ReactionChanged, ReadMarker, SentMessage
from realtime.router import Call, Identity, Outcome, Route

Position = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class SendMessage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`room_id` is the room's id or slug."""

    room_id: str
    content: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    reply_to: str | None = None
    forward_of: str | None = None
    client_message_id: str | None = None


class EditMessage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    message_id: UUID
    content: str


class DeleteMessage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    message_id: UUID


class React(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of `reaction.add` and `reaction.remove`: one emoji."""

    message_id: UUID
    emoji: str


class SetTyping(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    room_id: str
    is_typing: bool


class MoveMarker(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of `read` and `delivered`: up to which message."""

    room_id: str
    seq: Position


def send_messages(calls: list[Call], *, wait: bool) -> list[Outcome]:
    # What was taken back was counted then.
    senders = Counter(call.caller.user_id for call in calls if not call.attempt)
    room = services.room_to_send_each(senders)
    within: list[bool] = []
    for call in calls:
        within.append(bool(call.attempt) or room[call.caller.user_id] > 0)
        if not call.attempt:
            room[call.caller.user_id] -= 1
    drafts = [_draft(call.caller, call.data) for call, fits in zip(calls, within, strict=True) if fits]
    sent = iter(services.send_messages(drafts, wait=wait))
    return [_outcome(next(sent)) if fits else RateLimited(retry_after=1) for fits in within]


def _outcome(outcome: services.Sent | ChatError) -> Outcome:
    if isinstance(outcome, ChatError):
        return outcome
    return schemas.sent_message(outcome.message, duplicate=outcome.duplicate)


def _draft(caller: Identity, data: SendMessage) -> services.Draft:
    return services.Draft(
        sender_id=caller.user_id,
        room=data.room_id,
        content=data.content,
        file_url=data.file_url,
        file_id=data.file_id,
        reply_to=data.reply_to,
        forward_of=data.forward_of,
        client_message_id=data.client_message_id,
    )


def edit_message(caller: Identity, data: EditMessage) -> MessageUpdated:
    _count(caller)
    return services.edit_message(caller.user_id, message_id=data.message_id, content=data.content)


def delete_message(caller: Identity, data: DeleteMessage) -> MessageDeleted:
    _count(caller)
    return services.delete_message(caller.user_id, message_id=data.message_id)


def add_reaction(caller: Identity, data: React) -> ReactionChanged:
    _count(caller)
    return services.add_reaction(caller.user_id, message_id=data.message_id, emoji=data.emoji)


def remove_reaction(caller: Identity, data: React) -> ReactionChanged:
    _count(caller)
    return services.remove_reaction(caller.user_id, message_id=data.message_id, emoji=data.emoji)


def _count(caller: Identity) -> None:
    """Edits and reactions go to as many as messages do, and are counted with them. Raises RateLimited."""
    if not services.room_to_send_each({caller.user_id: 1})[caller.user_id]:
        raise RateLimited(retry_after=1)


def set_typing(caller: Identity, data: SetTyping) -> None:
    services.set_typing(caller.user_id, data.room_id, is_typing=data.is_typing)


def mark_delivered(caller: Identity, data: MoveMarker) -> None:
    services.mark_delivered(caller.user_id, data.room_id, seq=data.seq)


def mark_read(caller: Identity, data: MoveMarker) -> ReadMarker:
    return services.mark_read(caller.user_id, data.room_id, seq=data.seq)


FRAMES = [
    Route(
        "message",
        SendMessage,
        send_messages,
        "Sends a message. Repeat it with the same `client_message_id` until it is answered: it is there once.",
        SentMessage,
        batched=True,
        crowd=lambda data: data.room_id,
    ),
    Route("message.edit", EditMessage, edit_message, "Gives a message of mine another text.", MessageUpdated),
    Route(
        "message.delete", DeleteMessage, delete_message, "Leaves a tombstone of a message.", MessageDeleted
    ),
    Route("reaction.add", React, add_reaction, "Reacts to a message with an emoji.", ReactionChanged),
    Route("reaction.remove", React, remove_reaction, "Takes that back.", ReactionChanged),
    Route(
        "typing", SetTyping, set_typing, "Says that I type, or no more; it is over by itself.", ack="never"
    ),
    Route("read", MoveMarker, mark_read, "I have read the room up to here.", ReadMarker, ack="if_asked"),
    Route(
        "delivered", MoveMarker, mark_delivered, "This device has got messages up to here.", ack="if_asked"
    ),
]
