"""What browsers are told: what a page may load, who may read an answer, who may keep it, what a cookie is for."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.live import LiveServer

PAGE, STRANGER = "https://chat.example.com", "https://evil.example.com"
STRICT = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}
KINDS = {
    "/": 200,
    "/swagger/index.html": 200,
    "/api/schema": 200,
    "/api/v1/users/me": 401,
    "/api/v1/nothing": 404,
    "/nothing": 404,
    "/ws": 426,
    "/health/live": 200,
    "/admin/": 302,
    "/admin/login/": 200,
    "/static/admin/css/base.css": 200,
}
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")|\son\w+=|javascript:")
INLINE_STYLE = re.compile(r"<style(?![^>]*\bnonce=)|\sstyle=")


def policy(answer: HttpResponse) -> dict[str, str]:
    parts = answer["Content-Security-Policy"].split(";")
    return dict(part.strip().partition(" ")[::2] for part in parts)


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(("path", "status"), KINDS.items())
def test_every_kind_of_answer_is_guarded(
    client: Client, settings: Settings, path: str, status: int, debug
) -> None:
    settings.DEBUG = debug
    answer = client.get(path)
    assert answer.status_code == status
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["X-Request-Id"]
    assert policy(answer).items() >= {("frame-ancestors", "'none'"), ("base-uri", "'none'")}
    assert "Server" not in answer


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/users/me", "/api/v1/nothing", "/nothing", "/ws", "/health/live"])
def test_what_is_no_page_may_load_nothing(client: Client, path: str) -> None:
    assert policy(client.get(path)) == STRICT


@pytest.mark.django_db
def test_pages_need_nothing_that_their_policy_forbids(client: Client, alice: User) -> None:
    User.objects.filter(id=alice.id).update(is_staff=True, is_superuser=True)
    client.force_login(alice)
    pages = ["/", "/swagger/index.html", "/admin/", "/admin/accounts/user/", "/admin/accounts/user/add/"]
    pages += [f"/admin/accounts/user/{alice.id}/change/", "/admin/password_change/", "/admin/logout/"]
    for path in pages:
        answer = client.get(path)
        allowed, html = policy(answer), answer.content.decode()
        assert allowed["default-src"] == "'none'"
        assert not INLINE_SCRIPT.search(html), path
        assert "unsafe" not in allowed.get("script-src", ""), path
        if "'unsafe-inline'" not in allowed.get("style-src", ""):
            assert not INLINE_STYLE.search(html), path
        assert not re.search(r'(?:src|href)="(?:https?:)?//', html), path


def test_the_front_pages_styles_are_let_in_by_a_nonce_of_their_own(client: Client) -> None:
    answers = [client.get("/", HTTP_ACCEPT="text/html") for _ in range(2)]
    nonces = [re.search(r'<style nonce="([^"]+)"', answer.content.decode())[1] for answer in answers]
    assert [policy(answer)["style-src"] for answer in answers] == [f"'nonce-{nonce}'" for nonce in nonces]
    assert nonces[0] != nonces[1]


class TestCors:
    @pytest.fixture(autouse=True)
    def _allowed(self, settings: Settings) -> None:
        settings.CORS_ALLOWED_ORIGINS = [PAGE]

    def preflight(self, client: Client, origin: str, path: str = "/api/v1/friends/requests") -> HttpResponse:
        return client.options(
            path,
            HTTP_ORIGIN=origin,
            HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
            HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization,content-type,x-request-id",
        )

    def test_a_page_that_is_allowed_may_ask_with_a_token(self, client: Client) -> None:
        answer = self.preflight(client, PAGE)
        assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, PAGE)
        assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(
            answer["Access-Control-Allow-Methods"].split(", ")
        )
        assert {"authorization", "content-type", "x-request-id"} <= set(
            answer["Access-Control-Allow-Headers"].split(", ")
        )
        assert "Access-Control-Allow-Credentials" not in answer

    def test_other_pages_may_not(self, client: Client) -> None:
        assert "Access-Control-Allow-Origin" not in self.preflight(client, STRANGER)

    def test_only_the_api_is_open(self, client: Client) -> None:
        for path in ("/admin/login/", "/health/live"):
            assert "Access-Control-Allow-Origin" not in self.preflight(client, PAGE, path)

    def test_errors_may_be_read_too(self, db: None, client: Client, settings: Settings) -> None:
        settings.READ_BURST, settings.READS_PER_SECOND = 1, 0.001
        for status in (401, 429):
            answer = client.get("/api/v1/users/me", HTTP_ORIGIN=PAGE, REMOTE_ADDR="192.0.2.77")
            assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (status, PAGE)
            exposed = answer["Access-Control-Expose-Headers"].split(", ")
            assert {"X-RateLimit-Remaining", "Retry-After", "X-Request-Id", "Idempotent-Replay"} <= set(
                exposed
            )


class TestCaches:
    def test_nobody_keeps_answers_of_the_api(
        self, alice: User, client_of: Callable[[User], APIClient], anonymous: APIClient
    ) -> None:
        body = {"login": "alice", "password": "alice-demo-2026"}
        answers = [
            anonymous.post("/api/v1/auth/login", body),
            anonymous.post("/api/v1/auth/login", {}),
            client_of(alice).get("/api/v1/users/me"),
            client_of(alice).post("/api/v1/auth/ws-ticket"),
        ]
        assert [answer["Cache-Control"] for answer in answers] == ["no-store"] * 4


class TestCookies:
    def test_the_api_sets_none(self, alice: User, anonymous: APIClient) -> None:
        answer = anonymous.post("/api/v1/auth/login", {"login": "alice", "password": "alice-demo-2026"})
        assert answer.status_code == 200
        assert not answer.cookies

    def test_those_of_the_admin_are_out_of_reach_for_scripts_and_other_sites(
        self, alice: User, client: Client
    ) -> None:
        User.objects.filter(id=alice.id).update(is_staff=True)
        client.get("/admin/login/")
        answer = client.post("/admin/login/", {"username": "alice", "password": "alice-demo-2026"})
        cookies = {**client.cookies, **answer.cookies}
        assert set(cookies) == {"csrftoken", "sessionid"}
        for cookie in cookies.values():
            assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        assert cookies["sessionid"]["max-age"] <= 12 * 3600


@pytest.mark.django_db
def test_a_real_server_does_not_say_what_it_is(server: LiveServer) -> None:
    import httpx

    for path in ("/", "/api/v1/users/me", "/nothing"):
        assert not {"server", "x-powered-by"} & set(httpx.get(f"{server.http}{path}").headers)


def test_no_answer_of_the_api_is_a_page_with_a_policy_of_its_own(settings: Settings) -> None:
    """`PagePolicyMiddleware` does not look for one there."""
    for path in settings.PAGE_POLICIES:
        assert not path.startswith(("/api", r"/.*", ".*")), path
