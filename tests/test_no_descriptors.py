"""A process that has no descriptor left can open no file, no database connection and none to Redis."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from realtime.tests.stage import Insider
from realtime.tests.wire import descriptors
from tests.live import LiveServer


@pytest.fixture
def fresh(transactional_db: None) -> Iterator[LiveServer]:
    """A process that nobody has asked for anything yet but whether it is there."""
    server = LiveServer().start()
    yield server
    server.close()


@contextmanager
def few_descriptors(server: LiveServer, left: int) -> Iterator[None]:
    assert server.process
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (descriptors(server) + left, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("method", "path"), [("GET", "/users/me"), ("GET", "/rooms"), ("POST", "/rooms")])
def test_who_asks_then_is_told_to_come_back(fresh: LiveServer, method: str, path: str) -> None:
    alice, body = Insider(fresh, "alice"), {"json": {"name": "Kitchen"}} if method == "POST" else {}
    with few_descriptors(fresh, left=1):  # for her connection
        answer = alice.call(method, path, **body)
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (
        503,
        "unavailable",
        True,
    )
    assert alice.call(method, path, **body).status_code in (200, 201)
