"""What happens to every HTTP request before and after its view."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any

import structlog
from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core import metrics, throttles
from core.errors import LengthRequired, RateLimited, TooLarge
from core.ids import new_id
from core.problems import problem_response

GetResponse = Callable[[HttpRequest], HttpResponse]

logger = structlog.get_logger(__name__)

ENVELOPE_BYTES = 65_536
"""What multipart/form-data may put around a file."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class RequestIdMiddleware:
    """Takes `X-Request-Id` or makes one; returns it; puts it into every log line of the request.

    Logs one line per request: method, path without its query string, status, milliseconds. Counts it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(new_id())
        request.request_id = request_id  # type: ignore[attr-defined]
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            seconds = time.perf_counter() - started
            logger.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
            )
        metrics.request_answered(request, response.status_code, seconds)
        response["X-Request-Id"] = request_id
        return response


def body_limit(path: str) -> int:
    """The largest body that is read of a request to `path`, in bytes: a larger one where files are taken in."""
    if re.fullmatch(settings.UPLOAD_PATHS, path):
        return settings.MAX_UPLOAD_BYTES + ENVELOPE_BYTES
    return settings.MAX_BODY_BYTES


class PagePolicyMiddleware(CSPMiddleware):
    """The strict Content-Security-Policy for all that has none of its own in PAGE_POLICIES."""

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002 - the library's signature
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        policies: dict[str, dict[str, Any]] = settings.PAGE_POLICIES
        for path, policy in policies.items():
            if re.fullmatch(path, request.path):
                parts.replace = policy
        return parts

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith("/api/"):
            # No page is there: the policy is always the same, and to make it takes as long as a small answer.
            response.headers.setdefault(HEADER, _strict_policy())
            return response
        response = super().process_response(request, response)
        # With DEBUG the library spares Django's page of all paths, which ours stands in for.
        if response.status_code == 404:
            response[HEADER] = build_policy(**asdict(self.get_policy_parts(request, response)))
        return response


@cache
def _strict_policy() -> str:
    return str(build_policy())


class ApiMiddleware:
    """Says with every answer of the API how its limit stands, and that nobody is to keep it.

    What was answered before a view's throttle could count it, since nobody is known or no path fits, counts here.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/api/"):
            try:
                throttles.count_the_rest(request)
            except RateLimited as error:
                response = problem_response(request, error)
            for name, value in throttles.headers_of(request).items():
                response[name] = value
            response.setdefault("Cache-Control", "no-store")
        return response


class BodyLimitMiddleware:
    """Refuses a body by its announced length, before a byte of it is read.

    A chunked body announces none: 411 (RFC 9110 §15.5.12) rather than an empty body in its place.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH"):
            return problem_response(request, LengthRequired())
        length = request.META.get("CONTENT_LENGTH") or "0"
        # The number of digits comes first: int() itself refuses thousands of them.
        most = body_limit(request.path)
        if not length.isdecimal() or len(length) > 18 or int(length) > most:
            return problem_response(request, TooLarge(f"At most {most} bytes."))
        return self.get_response(request)


class TrailingSlashMiddleware:
    """Takes `/api/…/` for `/api/…`: accepted, never redirected, since a redirect loses a POST's body."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info[:-1]
        return self.get_response(request)
