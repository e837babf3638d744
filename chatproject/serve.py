"""Runs the server: `python -m chatproject.serve`. HOST, PORT and WEB_CONCURRENCY come from the environment."""

from __future__ import annotations

import os
import sys

import uvicorn
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chatproject import env
from chatproject.http_protocol import HttpProtocol
from chatproject.websocket import WebSocketProtocol
from core.storage import start


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
    try:
        serve()
    except ImproperlyConfigured as error:
        sys.exit(f"The server can't start: {error}")


def serve() -> None:
    host, port = env.text("HOST", "0.0.0.0"), env.number("PORT", 8080, least=1)  # noqa: S104 - a server listens # nosec
    workers = env.number("WEB_CONCURRENCY", 1, least=1)
    if workers > 1 and not settings.REDIS_URLS:
        sys.exit(
            f"WEB_CONCURRENCY is {workers}, but without REDIS_URL one process can't tell another of new "
            "messages. Set REDIS_URL, or run one process."
        )
    start.check()
    if settings.DEBUG:
        print(where_things_are(port), flush=True)  # noqa: T201
    uvicorn.run(
        "chatproject.asgi:application",
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=settings.WS_MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=settings.WS_HEARTBEAT_SECONDS,
        ws_ping_timeout=settings.WS_HEARTBEAT_SECONDS,
        lifespan="on",
        # The client's address is found in one place: `core.addresses`.
        proxy_headers=False,
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )


def where_things_are(port: int) -> str:
    """What a developer wants to know right after the start."""
    base = f"localhost:{port}"
    return (
        "\n"
        f"  Page      http://{base}/\n"
        f"  Swagger   http://{base}/swagger/index.html\n"
        f"  Admin     http://{base}/admin/          admin / admin-demo-2026\n"
        f"  Socket    ws://{base}/ws\n"
        "  Log in    alice / alice-demo-2026, bob / bob-demo-2026, carol / carol-demo-2026\n"
        "\n"
        "  Ctrl-C stops it.\n"
    )


if __name__ == "__main__":
    main()
