"""What /metrics tells of this process; each counts its own."""

from __future__ import annotations

from django.http import HttpRequest
from prometheus_client import Counter, Histogram

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_requests = Histogram(
    "chat_http_request_seconds",
    "HTTP requests by method, path template and status.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
events = Counter(
    "chat_events", "Events that this process logged, by type; `message` are the messages sent.", ["type"]
)


def request_answered(request: HttpRequest, status: int, seconds: float) -> None:
    """Count a request. Only what is ours names a series: anything else would make as many as clients like."""
    route = request.resolver_match.route if request.resolver_match else ""
    method = request.method if request.method in _METHODS else "other"
    _requests.labels(method, route or "other", status).observe(seconds)
