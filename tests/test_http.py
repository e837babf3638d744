"""HTTP between the server and Django."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from realtime.tests.wire import Wire
from tests.live import LiveServer


def test_a_name_with_underscores_is_not_taken_for_one_with_hyphens(each_server: LiveServer) -> None:
    """Else `X_Forwarded_For`, which a proxy lets through, would stand beside what the proxy wrote."""
    url = f"{each_server.http}/health/live"
    assert httpx.get(url, headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] == "mine"
    assert httpx.get(url, headers={"X_Request_Id": "mine"}).headers["X-Request-Id"] != "mine"


@pytest.mark.parametrize("query", [b"a=\xff", "a=ä".encode()])
def test_bytes_beyond_ascii_in_a_query_are_for_the_sender_to_quote(
    each_server: LiveServer, query: bytes
) -> None:
    with Wire(each_server) as wire:
        wire.send(b"GET /api/v1/nothing?" + query + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert wire.read(4096).startswith(b"HTTP/1.1 400")


def test_many_at_once_wait_for_threads_and_are_all_answered(server: LiveServer) -> None:
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: httpx.get(f"{server.http}/health/ready", timeout=30), range(200)))
    assert {answer.status_code for answer in answers} == {200}
