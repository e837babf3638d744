"""What a process tells a Prometheus of itself."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from rest_framework.test import APIClient

from accounts.models import User
from friendships.services import request_friendship
from realtime.tests.stage import Insider
from tests.live import LiveServer


def told(text: str) -> dict[str, float]:
    """The value of each series."""
    return {name: float(value) for name, value in re.findall(r"^(chat_[^ ]+) ([^ ]+)$", text, re.MULTILINE)}


def read(client: APIClient) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer["Content-Type"].startswith("text/plain; version=")
    return told(answer.content.decode())


def request_count(method: str, route: str, status: int) -> str:
    return f'chat_http_request_seconds_count{{method="{method}",route="{route}",status="{status}"}}'


def test_requests_are_counted_by_the_template_of_their_path(
    alice: User, bob: User, client_of: Callable[[User], APIClient], anonymous: APIClient
) -> None:
    name = request_count("GET", "api/v1/users/<uuid:id>", 200)
    before = read(anonymous).get(name, 0)
    for user in (alice, bob):
        client_of(alice).get(f"/api/v1/users/{user.id}")
    assert read(anonymous)[name] == before + 2


@pytest.mark.parametrize("path", ["/nothing-1", "/api/v1/nothing", "/static/nothing.css"])
def test_what_clients_make_up_makes_no_series(anonymous: APIClient, path: str) -> None:
    name = request_count("other", "other", 404)
    before = read(anonymous).get(name, 0)
    anonymous.generic("BREW", path)
    after = read(anonymous)
    assert after[name] == before + 1
    assert not [series for series in after if "nothing" in series or "BREW" in series]


def test_events_are_counted_once_they_are_committed(
    alice: User, bob: User, anonymous: APIClient, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    name = 'chat_events_total{type="friend.request"}'
    before = read(anonymous).get(name, 0)
    with django_capture_on_commit_callbacks(execute=True):
        request_friendship(alice, user_id=bob.id)
        assert read(anonymous).get(name, 0) == before
    assert read(anonymous)[name] == before + 2


async def test_a_server_tells_of_its_sockets_and_of_how_late_it_is(server: LiveServer) -> None:
    alice = Insider(server, "alice")

    def now() -> dict[str, float]:
        return told(httpx.get(f"{server.http}/metrics").text)

    before = now()["chat_sockets"]
    async with alice.socket() as socket:
        await socket.until("ready")
        assert now()["chat_sockets"] == before + 1
        assert 0 <= now()["chat_hub_delay_seconds"] < 1
