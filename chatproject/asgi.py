"""The ASGI application: HTTP on a fixed pool of threads, the socket on the event loop."""

from __future__ import annotations

import codecs
import gc
import os
from importlib import import_module
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django.setup(set_prefix=False)

# isort: split
from django.conf import settings
from django.db import connections

from chatproject.http_handler import HttpHandler
from chatproject.routing import PATHS, socket
from realtime import hub

if not settings.EMBEDDED_DATABASE:
    # What a server asks is short: no answer for so long means that none comes.
    timeouts = {"read_timeout": settings.DATABASE_SECONDS, "write_timeout": settings.DATABASE_SECONDS}
    options = connections["default"].settings_dict["OPTIONS"]
    options |= timeouts
    # A process that is stopped in the middle of a transaction may not keep its locks. What begins with M
    # is for MariaDB; MySQL, which has no such timeout, takes it for a comment.
    options["init_command"] += f" /*M!100302, idle_write_transaction_timeout={settings.DATABASE_SECONDS} */"

http = HttpHandler(threads=settings.HTTP_THREADS)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Dispatch by kind of connection."""
    match scope["type"]:
        case "http":
            await http(scope, receive, send)
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
            _load()
            _spare_the_collector()
            await send({"type": "lifespan.startup.complete"})
        else:
            await hub.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


def _load() -> None:
    """Import now what the first requests would, and the first error: later there may be no descriptor left for it."""
    import_module(settings.ROOT_URLCONF)
    codecs.lookup("unicode_escape")  # of Django's log


def _spare_the_collector() -> None:
    """What the start has made stays, and most of the rest goes with its request: to look at it all each time is in vain."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
