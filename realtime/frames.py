"""The frames that are the socket's own; those of the apps are in their `frames` (what is asked) and `events` (what is told)."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec

from core.timestamps import Timestamp
from realtime.presence_store import Status
from realtime.protocol import AuthData, ErrorData, PresenceData, ResumeData


class FrameType(NamedTuple):
    """What the AsyncAPI document says of a type of frame: its `data`, None where that is anything, and in words."""

    data: type[msgspec.Struct] | None
    summary: str


class Limits(msgspec.Struct):
    """What this server allows, in bytes, characters, seconds or how many; a client sees to it that it stays within."""

    frame_bytes: int
    message_length: int
    edit_window_seconds: int
    mentions: int
    reactions: int
    pins: int
    upload_bytes: int
    buffer_frames: int
    buffer_bytes: int
    unanswered_requests: int
    messages_per_second: int
    message_burst: int
    frames_per_second: int
    frame_burst: int
    connections: int


class Ready(msgspec.Struct):
    """`streams` is every stream that the connection follows, with the position after which its events come."""

    connection_id: UUID
    # A struct of the app above.
    user: Annotated[Any, msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/UserCard"})]
    protocol: int
    heartbeat_interval_ms: int
    limits: Limits
    streams: dict[str, int]


class Replayed(msgspec.Struct):
    """The positions of what was replayed; `to` is `from` - 1 where that was nothing."""

    from_: int = msgspec.field(name="from")
    to: int


class Resumed(msgspec.Struct):
    """What was replayed of each stream; `denied` are those that the user does not follow."""

    streams: dict[str, Replayed]
    denied: list[str]


class ResyncRequired(msgspec.Struct):
    """The events of `stream` from one position to the other, both included, can't be had any more."""

    stream: str
    from_: int = msgspec.field(name="from")
    to: int


class TokenExpiring(msgspec.Struct):
    """In so many seconds the socket closes with 4440."""

    expires_in: int


class Reconnect(msgspec.Struct):
    """In so many milliseconds the socket closes with 1012."""

    after_ms: int


class PresenceChanged(msgspec.Struct):
    """Whether someone is here; null where they are not to be seen, or never came."""

    user_id: UUID
    status: Status
    last_seen_at: Timestamp | None


REQUESTS = {
    "auth": FrameType(
        AuthData, "Says who I am, where the handshake did not, and again before the token ends."
    ),
    "resume": FrameType(ResumeData, "Asks for the events after each of these positions."),
    "presence": FrameType(PresenceData, "Says whether somebody looks at this device."),
    "ping": FrameType(None, "Asks for the same data."),
}

ANSWERS = {"auth": "ready", "resume": "resumed", "ping": "pong"}
"""What answers a request that is none of the apps'."""

SESSION = {
    "ready": FrameType(Ready, "I am in."),
    "ack": FrameType(None, "What I asked is done, and in the database."),
    "error": FrameType(ErrorData, "What I asked is not done; `retryable` says whether it may be later."),
    "resumed": FrameType(Resumed, "All events after the positions that I gave have come."),
    "resync_required": FrameType(ResyncRequired, "Events are missing: load that part over REST."),
    "token.expiring": FrameType(TokenExpiring, "Time for another `auth`, with a new token."),
    "reconnect": FrameType(Reconnect, "This server stops: connect again, and resume."),
    "pong": FrameType(None, "The answer to `ping`."),
}

EPHEMERA = {"presence": FrameType(PresenceChanged, "Someone came, went, or looks at it no more.")}
