"""Pages of the project itself: the front page, health, the socket's path over plain HTTP."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.cache import cache
from django.core.files.storage import FileSystemStorage, storages
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from chatproject import socket_document
from core import throttles
from core.delivery import deliver
from core.errors import NotFound, RateLimited, UpgradeRequired
from core.problems import problem_response
from realtime import hub

_sockets = Gauge("chat_sockets", "Sockets that this process has.")
_hub_delay = Gauge("chat_hub_delay_seconds", "How long what comes to the hub now waits for its turn.")

LINKS = {
    "swagger": "/swagger/index.html",
    "redoc": "/redoc",
    "schema": "/api/schema",
    "asyncapi": "/asyncapi",
    "admin": "/admin/",
    "health": "/health/ready",
    "metrics": "/metrics",
    "socket": "/ws",
}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Where things are; JSON for those who ask for it."""
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"name": "chat", "version": "1.0.0", "links": LINKS})
    return render(request, "chatproject/home.html", {"links": LINKS, "debug": settings.DEBUG})


def admin_login(request: HttpRequest) -> HttpResponse:
    """The admin site's own, with the limit that logging in has elsewhere."""
    if request.method == "POST":
        try:
            throttles.count(request, "login")
        except RateLimited as error:
            return problem_response(request, error)
    return admin.site.login(request)


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, in YAML; in JSON for those who ask for it."""
    preferred = request.get_preferred_type([OpenApiYamlRenderer.media_type, "application/json"])
    as_json = preferred == "application/json" or request.GET.get("format") == "json"
    return HttpResponse(
        _document(as_json=as_json),
        content_type="application/json" if as_json else f"{OpenApiYamlRenderer.media_type}; charset=utf-8",
        headers={"Content-Disposition": f'inline; filename="chat.{"json" if as_json else "yaml"}"'},
    )


@functools.cache
def _document(*, as_json: bool) -> bytes:
    """Made once in a process: it is the same for everyone, and takes as long as a hundred other answers."""
    generator: Any = SchemaGenerator
    renderer: Any = OpenApiJsonRenderer() if as_json else OpenApiYamlRenderer()
    return bytes(renderer.render(generator().get_schema(request=None, public=True), renderer_context={}))


@require_safe
def asyncapi(request: HttpRequest) -> HttpResponse:
    """The AsyncAPI document of the socket, in JSON; a page for browsers."""
    if request.get_preferred_type(["application/json", "text/html"]) == "application/json":
        return JsonResponse(socket_document.document())
    return render(request, "chatproject/asyncapi.html", {"groups": socket_document.groups()})


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What this process counted since its start, for a Prometheus."""
    sockets, delay = hub.vitals()
    _sockets.set(sockets)
    _hub_delay.set(delay)
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether this process can do its work: each dependency with its latency; 503 if one is away."""
    checks = {"database": _timed(_ask_database), "cache": _timed(_ask_cache)}
    healthy = all(check["status"] == "ok" for check in checks.values())
    body = {"status": "ok" if healthy else "unavailable", "checks": checks}
    return JsonResponse(body, status=200 if healthy else 503)


def _timed(ask: Callable[[], None]) -> dict[str, object]:
    started = time.perf_counter()
    try:
        ask()
    except Exception:  # noqa: BLE001 - each library has its own; all mean the same here
        status = "unavailable"
    else:
        status = "ok"
    return {"status": status, "latency_ms": round((time.perf_counter() - started) * 1000, 1)}


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_cache() -> None:
    cache.set("health", 1, timeout=10)
    if cache.get("health") != 1:
        raise ConnectionError("The cache does not keep what it is given.")


@require_safe
def avatar(request: HttpRequest, name: str) -> HttpResponseBase:
    """A face that is kept here: public, and never another one under the same name."""
    store = storages["avatars"]
    try:
        if not isinstance(store, FileSystemStorage):
            raise FileNotFoundError
        file = store.open(f"avatars/{name}")
    except OSError:
        return problem_response(request, NotFound())
    return deliver(
        request,
        file,
        size=file.size,
        content_type="image/webp",
        name=name,
        etag=f'"{name}"',
        inline=True,
        caching="public, max-age=31536000, immutable",
    )


@csrf_exempt
def socket_over_http(request: HttpRequest) -> HttpResponse:
    """`/ws` without an upgrade: 426 (RFC 9110 §15.5.22)."""
    response = problem_response(request, UpgradeRequired())
    response["Upgrade"] = "websocket"
    return response


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Every other path."""
    return problem_response(request, NotFound())
