"""The client of the tests notices an answer that is not as documented."""

from __future__ import annotations

import pytest
from django.http import HttpResponse, JsonResponse
from rest_framework.test import APIClient

from core.errors import NotFound
from core.problems import problem_response
from tests.documented import document

LOGOUT, SEARCH = "/api/v1/auth/logout", "/api/v1/users"
CARD = {"id": "01a20445-d2d2-7371-bae7-5ddc3d096593", "username": "alice", "display_name": "Alice"}


def breaches(method: str, path: str, response: HttpResponse) -> str:
    for name in (
        "X-Request-Id",
        *(f"X-RateLimit-{x}" for x in ("Scope", "Limit", "Remaining", "Reset-After")),
    ):
        response.headers.setdefault(name, "1")
    return "; ".join(document().breaches(method, path, response))


def page(*results: object, **keys: object) -> JsonResponse:
    return JsonResponse({"results": results, "next_cursor": None, "previous_cursor": None, **keys})


def test_what_is_documented_is_none() -> None:
    assert breaches("GET", SEARCH, page()) == ""
    assert breaches("GET", f"{SEARCH}/", page()) == ""
    assert breaches("POST", LOGOUT, HttpResponse(status=204)) == ""
    assert breaches("GET", "/api/v1/nothing", problem_response(None, NotFound())) == ""


@pytest.mark.parametrize(
    ("method", "path", "response", "breach"),
    [
        ("GET", SEARCH, JsonResponse({}, status=202), "an undocumented status"),
        ("PUT", SEARCH, JsonResponse({}), "an undocumented operation"),
        ("GET", SEARCH, JsonResponse({"results": []}), "'next_cursor' is a required property"),
        ("GET", SEARCH, page(next_cursor=1), "$.next_cursor"),
        ("GET", SEARCH, page(CARD), "$.results[0]"),
        ("GET", SEARCH, page(total=7), "'total' was unexpected"),
        ("GET", SEARCH, HttpResponse("<p>", content_type="text/html"), "text/html, not one of"),
        ("POST", LOGOUT, HttpResponse("done", status=204), "a body where none is documented"),
        ("GET", SEARCH, JsonResponse({}, status=404), "an undocumented status"),
        ("GET", f"{SEARCH}/1", JsonResponse({}, status=404), "application/json, not one of"),
    ],
)
def test_what_is_not_is_told(method: str, path: str, response: HttpResponse, breach: str) -> None:
    assert breach in breaches(method, path, response)


def test_a_header_that_is_missing_is_told() -> None:
    assert "no X-Request-Id" in document().breaches("POST", LOGOUT, HttpResponse(status=204))


@pytest.mark.django_db
def test_the_client_fails_at_it(anonymous: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.problems.CONTENT_TYPE", "text/plain")
    with pytest.raises(AssertionError, match="text/plain, not one of"):
        anonymous.get(SEARCH)
