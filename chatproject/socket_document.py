"""The AsyncAPI document: every frame of the socket, as the structs have it that are decoded and encoded."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from accounts import events as accounts
from chatproject.api_document import SETTINGS
from chatproject.routing import router
from core.openapi.examples import ID, example_of
from friendships import events as friendships
from messaging import events as messaging
from messaging.schemas import Message
from realtime import frames as realtime
from realtime.close_codes import CloseCode
from realtime.frames import FrameType
from realtime.protocol import MAX_ID_LENGTH, SUBPROTOCOL
from rooms import events as rooms

Schema = dict[str, Any]

ROOM_EVENTS = {**messaging.ROOM_EVENTS, **rooms.ROOM_EVENTS}
USER_EVENTS = {**rooms.USER_EVENTS, **friendships.USER_EVENTS, **accounts.USER_EVENTS}
EPHEMERA = {**messaging.EPHEMERA, **realtime.EPHEMERA}
REQUESTS = {
    **realtime.REQUESTS,
    **{route.type: FrameType(route.data, route.summary) for route in router.routes},
}


class Told(NamedTuple):
    """Frames that go to the same people."""

    title: str
    summary: str
    kinds: Mapping[str, FrameType]


TOLD = {
    "session": Told("The session itself", "To one connection.", realtime.SESSION),
    "room": Told("Events of a room", "Kept, on its stream: to all who are in it.", ROOM_EVENTS),
    "user": Told("Events of a user", "Kept, on their own stream: to all of their devices.", USER_EVENTS),
    "ephemera": Told("Ephemera", "Not kept: what is over in a moment.", EPHEMERA),
}

_REF = "#/components/schemas/{name}"
_CHANNEL = "#/channels/socket"
_DESCRIPTION = """\
Frames are JSON text of at most 64 KiB. A client ignores keys and types that it doesn't know.

- **Who asks**: the header `Authorization: Bearer <access>`; or, for browsers, the subprotocols `chat.v1` and
  `chat.v1.token.<access>`; or `?ticket=`, from `POST /api/v1/auth/ws-ticket`; or an `auth` frame within ten seconds.
- **Kept events** carry `stream` and `pos`, which is 1, 2, 3, … in each stream. They come in that order, each once, and after
  a `resume` from wherever the client was. Ephemera carry no `pos`, and may be lost.
- **An `ack` of a `message`** comes when it is in the database. Without one, send it again with the same
  `client_message_id`: it is there once.
"""


@functools.cache
def document() -> dict[str, Any]:
    """The document, made once in a process."""
    # `Message` is what a room shows as its last one.
    kinds = [*_structs(REQUESTS, ROOM_EVENTS, USER_EVENTS, EPHEMERA, realtime.SESSION), *_answers(), Message]
    _, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    messages = {
        **{_asked(type_): _message(type_, kind, _request(kind)) for type_, kind in REQUESTS.items()},
        **{type_: _message(type_, kind, _event(kind, "room")) for type_, kind in ROOM_EVENTS.items()},
        **{type_: _message(type_, kind, _event(kind, "user")) for type_, kind in USER_EVENTS.items()},
        **{type_: _message(type_, kind, _ephemeral(kind)) for type_, kind in messaging.EPHEMERA.items()},
        **{type_: _message(type_, kind, _bare(kind)) for type_, kind in realtime.EPHEMERA.items()},
        **{type_: _message(type_, kind, _session(type_, kind)) for type_, kind in realtime.SESSION.items()},
    }
    for key, message in messages.items():
        message["examples"] = [{"payload": _EXAMPLES.get(key) or example_of(message["payload"], components)}]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": SETTINGS["TITLE"],
            "version": SETTINGS["VERSION"],
            "description": _DESCRIPTION,
        },
        "defaultContentType": "application/json",
        "servers": {
            "here": {
                "host": "localhost:8080",
                "protocol": "ws",
                "description": "A server on your own machine.",
                "security": [{"$ref": "#/components/securitySchemes/" + name} for name in _SECURITY],
            }
        },
        "channels": {
            "socket": {
                "address": "/ws",
                "description": "One for each device. Why the server closes it, and what to do then:\n\n"
                + _close_codes(),
                "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in messages},
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "query": {"type": "object", "properties": {"ticket": {"type": "string"}}},
                        "headers": {
                            "type": "object",
                            "properties": {
                                "Sec-WebSocket-Protocol": {"type": "string", "examples": [SUBPROTOCOL]}
                            },
                        },
                        "bindingVersion": "0.1.0",
                    }
                },
            }
        },
        "operations": {
            **{_asked(type_): _asking(type_, kind) for type_, kind in REQUESTS.items()},
            **{name: _telling(told) for name, told in TOLD.items()},
        },
        "components": {"messages": messages, "schemas": components, "securitySchemes": _SECURITY},
    }


_EXAMPLES: dict[str, Any] = {
    "ask.message": {
        "type": "message",
        "data": {
            "room_id": "room-123",
            "content": "Hello world!",
            "file_url": "https://cloudinary.com/file.jpg",
        },
    },
}
"""Where one that is made from the schema says little."""

_SECURITY = {
    "access": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "ticket": {"type": "httpApiKey", "in": "query", "name": "ticket"},
}


class ShownFrame(NamedTuple):
    """A type of frame on the page: `key` is its anchor, `answer` that of what answers it, `example` is JSON."""

    key: str
    type: str
    summary: str
    answer: str | None
    example: str


class ShownGroup(NamedTuple):
    """A part of the page."""

    title: str
    summary: str
    frames: list[ShownFrame]


def groups() -> list[ShownGroup]:
    """The document as a page shows it: one frame of each type."""
    asked = [_shown(_asked(type_), _answer(type_)) for type_ in REQUESTS]
    told = [ShownGroup(title, summary, [*map(_shown, kinds)]) for title, summary, kinds in TOLD.values()]
    return [ShownGroup("What you ask", "From the client to the server.", asked), *told]


def _shown(key: str, answer: str | None = None) -> ShownFrame:
    message = document()["components"]["messages"][key]
    example = json.dumps(message["examples"][0]["payload"], indent=2, ensure_ascii=False)
    return ShownFrame(key, message["name"], message["summary"], answer, example)


def _structs(*tables: Mapping[str, FrameType]) -> Iterable[type[msgspec.Struct]]:
    return (kind.data for table in tables for kind in table.values() if kind.data)


def _answers() -> list[type[msgspec.Struct]]:
    """What an `ack` may have as its data."""
    return list(dict.fromkeys(route.answer for route in router.routes if route.answer))


def _asked(type_: str) -> str:
    """The name in the document: a `message` is asked for and told."""
    return f"ask.{type_}"


def _close_codes() -> str:
    return "\n".join(f"- {code.value}: {code.advice}" for code in CloseCode)


def _message(type_: str, kind: FrameType, envelope: Schema) -> dict[str, Any]:
    properties = {"type": {"const": type_}, **envelope}
    optional = {"id"} if kind.data else {"id", "data"}
    return {
        "name": type_,
        "summary": kind.summary,
        "payload": {
            "type": "object",
            "required": [key for key in properties if key not in optional],
            "properties": properties,
        },
    }


def _request(kind: FrameType) -> Schema:
    return {"id": _OWN_ID, "data": _data(kind)}


def _event(kind: FrameType, about: str) -> Schema:
    stream = {"type": "string", "pattern": f"^{about}:[0-9a-f-]{{36}}$", "examples": [f"{about}:{ID}"]}
    return {"stream": stream, "pos": {"type": "integer", "minimum": 1}, "ts": _TIME, "data": _data(kind)}


def _ephemeral(kind: FrameType) -> Schema:
    return {key: value for key, value in _event(kind, "room").items() if key != "pos"}


def _bare(kind: FrameType) -> Schema:
    return {"ts": _TIME, "data": _data(kind)}


def _session(type_: str, kind: FrameType) -> Schema:
    data = {"anyOf": [*map(_reference, _answers()), {"type": "object", "maxProperties": 0}]}
    return {"id": _OWN_ID, "data": data if type_ == "ack" else _data(kind)}


_TIME = {"type": "string", "format": "date-time"}
_OWN_ID = {"type": "string", "maxLength": MAX_ID_LENGTH, "examples": ["7"]}


def _data(kind: FrameType) -> Schema:
    return _reference(kind.data) if kind.data else {}


def _reference(struct: type[msgspec.Struct]) -> Schema:
    (reference,), _ = msgspec.json.schema_components([struct], ref_template=_REF)
    return dict(reference)


def _asking(type_: str, kind: FrameType) -> dict[str, Any]:
    operation = {**_operation("receive", [_asked(type_)]), "summary": kind.summary}
    if answer := _answer(type_):
        operation["reply"] = {"channel": {"$ref": _CHANNEL}, "messages": _named([answer, "error"])}
    return operation


def _answer(type_: str) -> str | None:
    if route := router.by_type.get(type_):
        return None if route.ack == "never" else "ack"
    return realtime.ANSWERS.get(type_)


def _telling(told: Told) -> dict[str, Any]:
    return {**_operation("send", list(told.kinds)), "title": told.title, "summary": told.summary}


def _operation(action: str, names: list[str]) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": _CHANNEL}, "messages": _named(names)}


def _named(names: list[str]) -> list[Schema]:
    return [{"$ref": f"{_CHANNEL}/messages/{name}"} for name in names]
