"""The wire format: text in, requests out; frames in, text out. Pure: knows no socket and no loop."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeVar

import msgspec
from websockets.frames import Frame as Message
from websockets.frames import Opcode

from core import bounded_json
from core.errors import ChatError, FieldError, InvalidFrame, UnknownField, ValidationFailed

VERSION = 1
SUBPROTOCOL = "chat.v1"
MAX_ID_LENGTH = 64
MAX_ATTR_LENGTH = 128
"""A key that nobody knows is named in the answer, but not at any length."""

S = TypeVar("S", bound=msgspec.Struct)


class Request(msgspec.Struct):
    """A client's frame, its `data` not looked at yet."""

    type: str
    id: str | None
    data: Any


class AuthData(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    cursors: dict[str, int] | None = None


class ResumeData(msgspec.Struct, forbid_unknown_fields=True):
    cursors: dict[str, int]


class PresenceData(msgspec.Struct, forbid_unknown_fields=True):
    status: Literal["online", "away"]


class RequestInfo(msgspec.Struct, omit_defaults=True):
    """Which request an error answers, for clients that gave it no `id`."""

    type: str | None
    client_message_id: str | None = None


class ErrorData(msgspec.Struct, omit_defaults=True):
    code: str
    detail: str
    retryable: bool
    errors: list[FieldError]
    request: RequestInfo
    retry_after: float | None = None


class Frame(msgspec.Struct, omit_defaults=True):
    """A frame of the session itself: not of a stream, never replayed."""

    type: str
    id: str | None = None
    stream: str | None = None
    ts: str | None = None
    data: Any = msgspec.UNSET


class Outgoing:
    """Frames on their way to any number of sockets: their texts, and the same as messages of RFC 6455, built once."""

    __slots__ = ("texts", "wire")

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.wire = b"".join(Message(Opcode.TEXT, text.encode()).serialize(mask=False) for text in texts)


class RefusedFrame(Exception):
    """A frame that could not become a request, with as much of it as could be read."""

    def __init__(self, error: ChatError, request: Request | None = None) -> None:
        self.error = error
        self.request = request
        super().__init__(error.code)


def decode(text: str) -> Request:
    """A client's frame.

    Raises:
        RefusedFrame: with MalformedJSON, ValidationFailed (unstorable characters) or InvalidFrame.
    """
    try:
        value = bounded_json.loads(text)
    except ChatError as error:
        raise RefusedFrame(error) from None
    if not isinstance(value, dict):
        raise RefusedFrame(InvalidFrame("A frame is a JSON object."))
    kind, id_ = value.get("type"), value.get("id")
    if not isinstance(kind, str):
        raise RefusedFrame(InvalidFrame("`type` is missing or not a string."))
    request = Request(kind, id_ if isinstance(id_, str) else None, value.get("data"))
    if id_ is not None and (not isinstance(id_, str) or len(id_) > MAX_ID_LENGTH):
        raise RefusedFrame(
            InvalidFrame(f"`id` is a string of at most {MAX_ID_LENGTH} characters."),
            Request(kind, None, None),
        )
    return request


def typed(kind: type[S], data: Any) -> S:
    """`data` as the struct that the route declares.

    Raises:
        InvalidFrame: `data` is not an object.
        UnknownField, ValidationFailed: with the path, the code and the words of the broken rule.
    """
    if not isinstance(data, dict):
        raise InvalidFrame("`data` is missing or not an object.")
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None


_PATH = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)
_NAMED = re.compile(r"(required|unknown) field `(.*?)`", re.DOTALL)


def _explained(message: str) -> ChatError:
    """Msgspec's sentence as our error: where, which rule, in words. It never holds the value itself."""
    place = _PATH.search(message)
    # An element of a list has a number; that of an object is written `[...]`, without its key.
    path = re.sub(r"\[(\d+)\]", r".\1", place.group(1)).replace("[...]", "") if place else ""
    words = _PATH.sub("", message)
    if named := _NAMED.search(words):
        path = (f"{path}.{named.group(2)}" if path else named.group(2))[:MAX_ATTR_LENGTH]
        if named.group(1) == "unknown":
            return UnknownField(errors=[FieldError(path, "unknown_field", "No such key here.")])
        return ValidationFailed.of(path, "required", "This key is required.")
    if words.startswith("Invalid enum value"):
        return ValidationFailed.of(path, "invalid_choice", "Not one of the values that this key takes.")
    if "length <=" in words:
        return ValidationFailed.of(path, "max_length", f"{words}.")
    return ValidationFailed.of(path, "invalid", f"{words}.")


def encode(frame: Frame) -> str:
    """A frame as it goes on the wire."""
    return msgspec.json.encode(frame).decode()


def ack(request: Request, data: Any) -> str:
    """The answer to a request that was done."""
    return encode(Frame("ack", request.id, data={} if data is None else data))


def error(refusal: ChatError, request: Request | None) -> str:
    """The answer to a request that was refused."""
    kind = request.type[:64] if request else None
    named = request.data.get("client_message_id") if request and isinstance(request.data, dict) else None
    data = ErrorData(
        code=refusal.code,
        detail=refusal.detail,
        retryable=refusal.retryable,
        errors=refusal.errors,
        request=RequestInfo(kind, named if isinstance(named, str) and len(named) <= MAX_ID_LENGTH else None),
        retry_after=refusal.retry_after,
    )
    return encode(Frame("error", request.id if request else None, data=data))
