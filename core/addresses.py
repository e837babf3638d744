"""Where a request comes from."""

from __future__ import annotations

from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of who asks; empty where there is none, as behind a Unix socket."""
    return request.META.get("REMOTE_ADDR", "")
