"""What messaging announces: kept events on `room:<id>`, and ephemera."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.schemas import erased
from eventlog import log
from eventlog.log import Draft, LockedStreams, LoggedEvent
from messaging import schemas
from messaging.models import Message
from realtime import publish
from realtime.frames import FrameType
from realtime.publish import Lapse
from rooms.models import Room

ROOM_EVENTS = {
    "message": FrameType(schemas.RoomMessage, "Someone said something, I or another."),
    "message.updated": FrameType(schemas.MessageUpdated, "A message says something else."),
    "message.deleted": FrameType(
        schemas.MessageDeleted, "A message is a tombstone, without reactions and pin."
    ),
    "message.pinned": FrameType(schemas.MessagePinned, "A message is pinned."),
    "message.unpinned": FrameType(schemas.MessageUnpinned, "A message is pinned no more."),
    "reaction.added": FrameType(schemas.ReactionChanged, "Someone reacted."),
    "reaction.removed": FrameType(schemas.ReactionChanged, "Someone took a reaction back."),
}

EPHEMERA = {
    "typing": FrameType(schemas.Typing, "Someone types, or no more."),
    "read": FrameType(schemas.Receipt, "Someone has read up to here."),
    "delivered": FrameType(schemas.Receipt, "A device of someone's has got messages up to here."),
}


def messages_sent(streams: LockedStreams, messages: Sequence[Message]) -> list[LoggedEvent]:
    """`message` for each, in the order given."""
    return streams.append(
        *(
            Draft(
                stream=row.room.stream,
                type="message",
                data=schemas.room_message(row),
                actor_id=row.sender_id,
                object_id=row.id,
            )
            for row in messages
        )
    )


def message_updated(streams: LockedStreams, message: Message) -> None:
    """`message.updated`; needs the message's `mentioned`."""
    _of_message(streams, "message.updated", message, schemas.message_updated(message), by=message.sender_id)


def message_deleted(
    streams: LockedStreams, message: Message, *, by: UUID, quoted_by: Collection[UUID]
) -> None:
    """`message.deleted`; and no frame in the log says what the message said any more.

    `quoted_by` are the messages that answer it: their frames show its beginning.
    """
    data = schemas.message_deleted(message)
    nothing: dict[str, Any] = {
        "content": "",
        "excerpt": "",
        "file_url": None,
        "file": None,
        "forwarded": None,
        "mentions": [],
        "reactions": [],
        "pinned_at": None,
        "deleted_at": data.deleted_at,
        "deleted_by": data.deleted_by,
    }
    log.rewrite([message.id, *quoted_by], lambda shown: log.changed(shown, str(message.id), nothing))
    _of_message(streams, "message.deleted", message, data, by=by)


def sender_erased(user: User, message_ids: Collection[UUID]) -> None:
    """No frame about these messages, nor one that shows them, has more of the user than is left of them."""
    log.rewrite(message_ids, lambda shown: erased(shown, user))


def reaction_added(streams: LockedStreams, message: Message, data: schemas.ReactionChanged) -> None:
    """`reaction.added`."""
    _of_message(streams, "reaction.added", message, data, by=data.user_id)


def reaction_removed(streams: LockedStreams, message: Message, data: schemas.ReactionChanged) -> None:
    """`reaction.removed`."""
    _of_message(streams, "reaction.removed", message, data, by=data.user_id)


def message_pinned(streams: LockedStreams, message: Message, *, by: UUID) -> None:
    """`message.pinned`."""
    _of_message(streams, "message.pinned", message, schemas.message_pinned(message, by=by), by=by)


def message_unpinned(streams: LockedStreams, message: Message, *, by: UUID) -> None:
    """`message.unpinned`."""
    data = schemas.MessageUnpinned(message.id, message.room_id, message.seq, by)
    _of_message(streams, "message.unpinned", message, data, by=by)


def _of_message(streams: LockedStreams, type_: str, message: Message, data: Any, *, by: UUID) -> None:
    streams.append(
        Draft(stream=message.room.stream, type=type_, data=data, actor_id=by, object_id=message.id)
    )


def room_read(room: Room, user_id: UUID, seq: int, *, not_to: Collection[UUID]) -> None:
    """`read`, not kept."""
    publish.send_ephemeral(room.stream, "read", schemas.Receipt(room.id, user_id, seq), not_to=not_to)


def room_read_unseen(room: Room, user_id: UUID, seq: int) -> None:
    """`read`, not kept, to the user's own devices only."""
    publish.send_ephemeral(room.stream, "read", schemas.Receipt(room.id, user_id, seq), only_to=user_id)


def room_delivered(room: Room, user_id: UUID, seq: int, *, not_to: Collection[UUID]) -> None:
    """`delivered`, not kept."""
    publish.send_ephemeral(room.stream, "delivered", schemas.Receipt(room.id, user_id, seq), not_to=not_to)


def typing_changed(
    room: Room, user_id: UUID, *, is_typing: bool, not_to: Collection[UUID], lapses_in: float
) -> None:
    """`typing`, not kept; that someone types is taken back after `lapses_in` seconds."""
    stopped = schemas.Typing(room.id, user_id, is_typing=False) if is_typing else None
    publish.send_ephemeral(
        room.stream,
        "typing",
        schemas.Typing(room.id, user_id, is_typing),
        not_to=not_to,
        lapse=Lapse(f"typing.{room.id}.{user_id}", lapses_in, stopped),
    )
