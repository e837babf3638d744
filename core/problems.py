"""Errors as HTTP answers: application/problem+json (RFC 9457), whoever raised them."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from core import errors
from core.errors import ChatError, FieldError
from core.outages import is_outage

CONTENT_TYPE = "application/problem+json"

logger = structlog.get_logger(__name__)


class Problem(msgspec.Struct):
    """The body of every error answer (RFC 9457, with our `code`, `retryable`, `request_id`, `errors`)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    retryable: bool
    request_id: str | None
    errors: list[FieldError]
    retry_after: float | None = None


def problem(error: ChatError, request_id: str | None) -> Problem:
    """The body that tells a client of `error`."""
    return Problem(
        type=f"/problems/{error.code}",
        title=error.title,
        status=error.status,
        code=error.code,
        detail=error.detail,
        retryable=error.retryable,
        request_id=request_id,
        errors=error.errors,
        retry_after=error.retry_after,
    )


def _headers(error: ChatError) -> dict[str, str]:
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return headers


def problem_response(request: HttpRequest | None, error: ChatError) -> HttpResponse:
    """The whole answer, for code outside DRF views."""
    body = problem(error, getattr(request, "request_id", None))
    return HttpResponse(
        msgspec.json.encode(body), status=error.status, content_type=CONTENT_TYPE, headers=_headers(error)
    )


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response:
    """DRF's hook: what a view raised, as the error that the catalogue has for it."""
    error = _translated(exception)
    if error is None:
        logger.error("view_failed", view=type(context.get("view")).__name__, exc_info=exception)
        error = errors.InternalError()
    request = context["request"]
    response = Response(
        problem(error, getattr(request, "request_id", None)),
        status=error.status,
        headers=_headers(error),
        content_type=CONTENT_TYPE,
    )
    response.exception = True
    return response


def _translated(exception: BaseException | None) -> ChatError | None:
    if is_outage(exception):
        logger.warning("dependency_unavailable", error=type(exception).__name__)
        return errors.Unavailable()
    match exception:
        case ChatError():
            return exception
        case drf.ValidationError():
            return _validation(exception)
        case Http404() | drf.NotFound():
            return errors.NotFound()
        case PermissionDenied() | drf.PermissionDenied():
            return errors.Forbidden()
        case drf.NotAuthenticated():
            return errors.NotAuthenticated()
        case drf.AuthenticationFailed():
            return errors.TokenInvalid()
        case drf.MethodNotAllowed():
            return errors.MethodNotAllowed()
        case drf.UnsupportedMediaType():
            return errors.UnsupportedMediaType()
        case drf.ParseError():
            return errors.MalformedJSON()
        case drf.Throttled():
            return errors.RateLimited(retry_after=getattr(exception, "wait", None))
    return None


def _validation(exception: drf.ValidationError) -> ChatError:
    found = list(_leaves(exception.get_full_details(), ""))
    if found and all(error.code == "unknown_field" for error in found):
        return errors.UnknownField(errors=found)
    return errors.ValidationFailed(errors=found)


def _leaves(node: Any, path: str) -> Iterator[FieldError]:
    """DRF's nested details, flat: `{"a": {"b": [leaf]}}` becomes `a.b`."""
    if isinstance(node, list):
        for item in node:
            yield from _leaves(item, path)
    elif isinstance(node, dict) and set(node) == {"message", "code"} and isinstance(node["code"], str):
        yield FieldError(path, node["code"], str(node["message"]))
    elif isinstance(node, dict):
        for key, item in node.items():
            inner = "" if key == "non_field_errors" else str(key)
            yield from _leaves(item, ".".join(part for part in (path, inner) if part))


# The project's handler400 … handler500: what never reached a DRF view.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(request, errors.ValidationFailed("This request can't be read."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(request, errors.Forbidden())


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problem_response(
        request, errors.Forbidden("This form is too old, or of another site: load it again.")
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(request, errors.NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    # Django calls this while it handles the exception.
    return problem_response(request, _translated(sys.exc_info()[1]) or errors.InternalError())
