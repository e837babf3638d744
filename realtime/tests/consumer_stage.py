"""A consumer on the test's own loop, behind an ASGI door that the test holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec

from realtime.consumer import ChatConsumer
from realtime.router import Arrival, Audience, Claims, Identity, Router

SCOPE = {
    "type": "websocket",
    "path": "/ws",
    "headers": [(b"authorization", b"Bearer alice")],
    "query_string": b"",
    "subprotocols": [],
}


class Card(msgspec.Struct):
    name: str


def read_token(token: str) -> Claims:
    return Claims(uuid4(), 2**40)


def arrive(claims: Sequence[Claims]) -> list[Arrival]:
    return [Arrival(Identity(uuid4(), one.session_id, one.expires_at, Card("someone")), []) for one in claims]


def consumer(**others: Any) -> Any:
    """The ASGI application, for people who follow nothing; `others` take the place of what a Router has."""
    given: dict[str, Any] = {
        "routes": [],
        "read_token": read_token,
        "redeem": read_token,
        "arrive": arrive,
        "ended": lambda _: {},
        "audience_of": lambda _: Audience([], []),
        "seen": lambda *_: None,
    }
    return ChatConsumer.as_asgi(router=Router(**{**given, **others}))
