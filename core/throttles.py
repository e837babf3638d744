"""Limits of REST requests: each counts in one scope, for its user, else for the address that it comes from."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core import limits
from core.addresses import client_address, network_of
from core.errors import RateLimited
from core.limits import Quota

_SAFE = ("GET", "HEAD", "OPTIONS")


class _Counted(NamedTuple):
    scope: str
    most: int
    quota: Quota


class ScopeThrottle(BaseThrottle):
    """Counts a request once DRF knows its user. A view names the scope of what it writes: `throttle_scope = "upload"`."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Raises RateLimited."""
        plain = request._request  # noqa: SLF001 - what the middleware knows; DRF's wrapper ends with the view
        count(plain, scope_of(plain.method, view), str(request.user.id) if request.user else "")
        return True


def count(request: HttpRequest, scope: str, user_id: str = "") -> None:
    """Count a request against its scope's limit. Raises RateLimited, where there is no room for it."""
    limit = limits.of_requests(scope)
    quota = limits.take_one(limit, user_id or network_of(client_address(request) or ""))
    request.counted = _Counted(scope, limit.most, quota)  # type: ignore[attr-defined]
    if not quota.taken:
        raise RateLimited(retry_after=math.ceil(quota.retry_after * 1000) / 1000)


def count_the_rest(request: HttpRequest) -> None:
    """Count a request that no throttle has counted. Raises RateLimited."""
    if not hasattr(request, "counted"):
        view = getattr(getattr(request.resolver_match, "func", None), "cls", None)
        count(request, scope_of(request.method, view))


def scope_of(method: str | None, view: Any) -> str:
    """The scope of an operation."""
    return "read" if method in _SAFE else getattr(view, "throttle_scope", "write")


def headers_of(request: HttpRequest) -> dict[str, str]:
    """What a client is told of the limit that a request was counted against."""
    scope, most, quota = request.counted  # type: ignore[attr-defined]
    return {
        "X-RateLimit-Limit": str(most),
        "X-RateLimit-Remaining": str(quota.remaining),
        "X-RateLimit-Reset-After": str(math.ceil(quota.reset_after)),
        "X-RateLimit-Scope": scope,
    }
