"""What a WebSocket handshake says: from where, and by which credential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from realtime import protocol

Scope = dict[str, Any]

WRITE_EXTENSION = "chat.write"
"""In the scope of a server that takes ready bytes: `{"write": (bytes) -> bool}`; see `Connection`."""


class Credential(NamedTuple):
    """An access token, or a one-use ticket."""

    kind: Literal["token", "ticket"]
    value: str


def credential(scope: Scope) -> Credential | None:
    """The first of: header, subprotocol, ticket, query token."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":
                return Credential("token", token.strip())
    prefix = f"{protocol.SUBPROTOCOL}.token."
    for offered in scope.get("subprotocols", []):
        if offered.startswith(prefix):
            return Credential("token", offered.removeprefix(prefix))
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    if "ticket" in query:
        return Credential("ticket", query["ticket"][0])
    if "token" in query and settings.WS_QUERY_TOKEN:
        return Credential("token", query["token"][0])
    return None


def subprotocol(scope: Scope) -> str | None:
    """The one to answer with: browsers that offered some want one of them back."""
    return protocol.SUBPROTOCOL if protocol.SUBPROTOCOL in scope.get("subprotocols", []) else None


def origin_allowed(scope: Scope) -> bool:
    """Browsers send Origin (RFC 6455 §10.2); other clients don't, and carry no cookie to abuse."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin-1")
    if not origin or "*" in settings.WS_ALLOWED_ORIGINS or origin in settings.WS_ALLOWED_ORIGINS:
        return True
    return urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin-1")


def ready_writer(scope: Scope) -> Callable[[bytes], bool] | None:
    """What takes whole WebSocket messages as they are, if the server has that."""
    writer: Callable[[bytes], bool] | None = scope.get("extensions", {}).get(WRITE_EXTENSION, {}).get("write")
    return writer
