"""The ASGI application: HTTP on a fixed pool of threads, the socket on the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.db import connections

from chatproject.wsgi import application as wsgi_application  # sets Django up, for what follows

# isort: split
from chatproject import transfer
from chatproject.routing import PATHS, socket
from realtime import hub

if TYPE_CHECKING:
    from a2wsgi.wsgi_typing import WSGIApp

_SAFE = "".join(map(chr, range(33, 127)))

if not settings.EMBEDDED_DATABASE:
    # What a server asks is short: no answer for so long means that none comes.
    timeouts = {"read_timeout": settings.DATABASE_SECONDS, "write_timeout": settings.DATABASE_SECONDS}
    options = connections["default"].settings_dict["OPTIONS"]
    options |= timeouts
    # A process that is stopped in the middle of a transaction may not keep its locks. What begins with M
    # is for MariaDB; MySQL, which has no such timeout, takes it for a comment.
    options["init_command"] += f" /*M!100302, idle_write_transaction_timeout={settings.DATABASE_SECONDS} */"

# Django's own ASGI handler opens a thread, and so a database connection, per request.
# The queue is what a thread may be ahead of a slow reader, in chunks of 8 KiB at most, before it waits for it.
http: Any = WSGIMiddleware(
    cast("WSGIApp", transfer.leaving_files(wsgi_application)),
    workers=settings.HTTP_THREADS,
    send_queue_size=256,
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Dispatch by kind of connection."""
    match scope["type"]:
        case "http":
            # Bytes beyond ASCII are for the sender to quote (RFC 3986 §2.1); WSGI can't carry them.
            scope["query_string"] = quote(scope["query_string"], safe=_SAFE).encode()
            body = transfer.Body(scope, receive)
            try:
                if await body.arrive():
                    await transfer.answer(http, scope, body.receive, send)
            finally:
                body.close()
        case "websocket" if scope["path"] in PATHS:
            await socket(scope, receive, send)
        case "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        case "lifespan":
            await _live(receive, send)


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            hub.current()
            await send({"type": "lifespan.startup.complete"})
        else:
            await hub.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
