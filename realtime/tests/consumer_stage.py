"""A consumer on the test's own loop, behind an ASGI door that the test holds."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgspec

from realtime.consumer import ChatConsumer
from realtime.router import Audience, Identity, Place, Router

SCOPE = {
    "type": "websocket",
    "path": "/ws",
    "headers": [(b"authorization", b"Bearer alice")],
    "query_string": b"",
    "subprotocols": [],
}


class Card(msgspec.Struct):
    name: str


def identify(token: str) -> Identity:
    return Identity(uuid4(), uuid4(), 2**40, Card(token))


def places_of(user_id: UUID) -> list[Place]:
    return []


def consumer(**others: Any) -> Any:
    """The ASGI application, for people who follow nothing; `others` take the place of what a Router has."""
    given: dict[str, Any] = {
        "routes": [],
        "identify": identify,
        "redeem": identify,
        "places_of": places_of,
        "ended": lambda _: {},
        "audience_of": lambda _: Audience([], []),
        "seen": lambda *_: None,
    }
    return ChatConsumer.as_asgi(router=Router(**{**given, **others}))
