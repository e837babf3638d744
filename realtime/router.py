"""The socket's route table, and what the apps hand to the consumer.

`chatproject.routing` puts one `Router` together from the apps' `FRAMES`, the twin of `urls.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from core.errors import ChatError
from realtime.close_codes import CloseCode


class Claims(NamedTuple):
    """What a credential says: a session, and until when, in epoch seconds. Whether that goes on is another question."""

    session_id: UUID
    expires_at: float


class Identity(NamedTuple):
    """Who is at the other end. `card` goes into `ready`; `expires_at` is the token's end, epoch seconds."""

    user_id: UUID
    session_id: UUID
    expires_at: float
    card: msgspec.Struct


class Place(NamedTuple):
    """A stream that a user follows.

    `head` is its position in the same read that found the subscription; `since` is the position
    at which the subscription began: endings at or before it are of an earlier one.
    """

    stream: str
    head: int
    since: int = 0


class Arrival(NamedTuple):
    """Someone who comes in: who it is, and the streams that they follow now, from one consistent read."""

    identity: Identity
    places: list[Place]


class Audience(NamedTuple):
    """Who is told of a user's presence: those who follow one of the streams, and these users; never `not_to`."""

    streams: Collection[str]
    user_ids: Collection[UUID]
    not_to: Collection[UUID] = ()


class Call(NamedTuple):
    """A decoded frame on its way to a handler. `attempt`: how often it was taken back and asked again."""

    caller: Identity
    data: Any
    attempt: int = 0


StructType = type[msgspec.Struct]

Outcome = msgspec.Struct | ChatError | None
"""What a batched handler says of one call: the ack's `data`, or the error. None acks without data."""


@dataclass(frozen=True)
class Route:
    """One frame type.

    Handlers are synchronous and run in a database thread. A single handler takes
    `(caller, data)` and returns the ack's data or raises a ChatError. A batched one takes every call
    of its type that waited, of whichever connection, as `list[Call]`, and returns an outcome each; told
    not to `wait` for locks, it returns or raises Contended for those whose locks are taken.

    `crowd` names what many calls may be about, such as a room; a batch takes few of each, so that a busy one
    does not hold up the others.

    `ack` says when the client gets an `ack`: always, only `if_asked` (the frame has an `id`), never; `answer` is
    its data. `summary` is for the AsyncAPI document.
    """

    type: str
    data: StructType
    handler: Callable[..., Any]
    summary: str
    answer: StructType | None = None
    batched: bool = False
    crowd: Callable[[Any], str] | None = None
    ack: Literal["always", "if_asked", "never"] = "always"


@dataclass(frozen=True)
class Router:
    """Everything that the consumer must be told.

    Args:
        routes: the apps' frame tables, concatenated.
        read_token: what an access token says; asks nobody, raises a 401 ChatError.
        redeem: likewise for a one-use ticket, which is spent by it; for a thread.
        arrive: who comes with each of these claims, or the 401 or 403 ChatError that they get.
        ended: those of the sessions that have ended, with the code to close their sockets with.
        audience_of: who is told of a user's presence; with one more argument, who was by a setting that is over.
        seen: keeps when a user was last known to be here.
    """

    routes: Sequence[Route]
    read_token: Callable[[str], Claims]
    redeem: Callable[[str], Claims]
    arrive: Callable[[Sequence[Claims]], Sequence[Arrival | ChatError]]
    ended: Callable[[Collection[UUID]], dict[UUID, CloseCode]]
    audience_of: Callable[..., Audience]
    seen: Callable[[UUID, datetime], None]
    by_type: dict[str, Route] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_type", {route.type: route for route in self.routes})
