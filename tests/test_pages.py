"""The front page, health, and the answers of paths that nobody claims."""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.test import APIClient


def test_the_front_page_links_to_everything(anonymous: APIClient) -> None:
    page = anonymous.get("/", HTTP_ACCEPT="text/html")
    assert page["Content-Type"].startswith("text/html")
    for link in ("/swagger/index.html", "/api/schema", "/admin/", "/health/ready", "/ws"):
        assert link in page.content.decode()


def test_the_front_page_is_json_for_those_who_ask(anonymous: APIClient) -> None:
    page = anonymous.get("/", HTTP_ACCEPT="application/json")
    assert page.json()["links"]["socket"] == "/ws"


def test_a_live_process_says_so(anonymous: APIClient) -> None:
    assert anonymous.get("/health/live").json() == {"status": "ok"}


@pytest.mark.django_db
def test_a_ready_process_says_how_fast_its_dependencies_are(anonymous: APIClient) -> None:
    body = anonymous.get("/health/ready").json()
    assert body["status"] == "ok"
    assert set(body["checks"]) == {"database", "cache"}
    assert all(check["latency_ms"] >= 0 for check in body["checks"].values())


@pytest.mark.django_db
def test_a_process_without_its_cache_is_not_ready(
    anonymous: APIClient, settings: pytest.FixtureRequest
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    answer = anonymous.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["cache"]["status"] == "unavailable"


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/nothing", "/api/v1/rooms/a/b/c", "/api/v1/users/not-a-uuid"]
)
def test_a_path_that_nobody_claims_is_a_problem_not_a_page(anonymous: APIClient, path: str) -> None:
    answer = anonymous.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nothing", 404, "not_found"),
        ("/api/v1/blocks/not-a-uuid", 404, "not_found"),
        ("/ws", 426, "upgrade_required"),
        ("/admin/login/", 403, "forbidden"),
    ],
)
def test_a_browser_that_sends_a_form_gets_no_other_answer(path: str, status: int, code: str) -> None:
    """The tests' clients are let off the check of forms that browsers meet."""
    answer = Client(enforce_csrf_checks=True).put(path)
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", ["/ws", "/ws/", "/api/v1/ws"])
def test_the_socket_over_plain_http_asks_for_an_upgrade(anonymous: APIClient, path: str) -> None:
    answer = anonymous.get(path)
    assert answer.status_code == 426
    assert answer["Upgrade"] == "websocket"
    assert answer.json()["code"] == "upgrade_required"
