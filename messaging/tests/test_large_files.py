"""Files of some size through a real server: they fill no memory, and their readers hold no threads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from realtime.tests.stage import Insider
from realtime.tests.wire import Wire, until_connections
from tests.live import LiveServer

pytestmark = pytest.mark.django_db(transaction=True)

MIB = 2**20
LARGE = b"".join(b"A line of a log, and no two are alike: %09d\n" % number for number in range(400_000))


@pytest.fixture(scope="module")
def small(django_db_setup: None) -> Iterator[LiveServer]:
    """A server with two threads, that waits for three seconds."""
    server = LiveServer(HTTP_REQUEST_SECONDS="3", HTTP_THREADS="2").start()
    yield server
    server.close()


def upload(person: Insider, content: bytes) -> httpx.Response:
    return person.call("POST", "/uploads", files={"file": ("a.log", content)})


def peak_mib(server: LiveServer) -> float:
    """The most resident memory that the server process has had."""
    assert server.process
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


class TestLargeFiles:
    def test_they_come_and_go_without_filling_the_memory(self, small: LiveServer) -> None:
        alice = Insider(small, "alice")
        upload(alice, b"The first upload loads what uploads need.")
        before = peak_mib(small)
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda _: upload(alice, LARGE), range(3)))
        assert [answer.status_code for answer in answers] == [201] * 3
        url = f"/files/{answers[0].json()['id']}/content"
        assert alice.call("GET", url).content == LARGE
        assert peak_mib(small) - before < 20

    def test_who_does_not_read_one_holds_up_nobody_and_is_given_up(self, small: LiveServer) -> None:
        alice = Insider(small, "alice")
        url = upload(alice, LARGE).json()["url"]
        request = f"GET {url} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {alice.token}\r\n\r\n"
        with ExitStack() as stack:
            for _ in range(10):
                stack.enter_context(Wire(small, window=4096)).send(request.encode())
            assert alice.call("GET", "/users/me").status_code == 200
            assert httpx.get(f"{small.http}/health/live", timeout=10).status_code == 200

    async def test_a_slow_reader_is_given_up(self, small: LiveServer) -> None:
        alice = Insider(small, "alice")
        url = upload(alice, LARGE[: 4 * MIB]).json()["url"]
        request = f"GET {url} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {alice.token}\r\n\r\n"
        with Wire(small, window=4096) as wire:
            wire.send(request.encode())
            wire.read(4096)
            await until_connections(small, 0)

    def test_one_over_the_limit_is_refused_unread(self, small: LiveServer) -> None:
        alice = Insider(small, "alice")
        with Wire(small) as wire:
            wire.send(
                f"POST /api/v1/uploads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {alice.token}\r\n"
                f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {10**9}\r\n\r\n".encode()
            )
            assert wire.read(4096).startswith(b"HTTP/1.1 413")

    def test_one_of_nobodys_is_refused_unread(self, small: LiveServer) -> None:
        for token in ("", "Authorization: Bearer forged\r\n"):
            with Wire(small) as wire:
                wire.send(
                    f"POST /api/v1/uploads HTTP/1.1\r\nHost: localhost\r\n{token}"
                    f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {20 * MIB}\r\n\r\n".encode()
                )
                assert wire.read(4096).startswith(b"HTTP/1.1 401")

    def test_parts_and_heads_on_both_servers(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        url = upload(alice, b"0123456789").json()["url"].removeprefix("/api/v1")
        part = alice.call("GET", url, headers={"Range": "bytes=2-4"})
        assert (part.status_code, part.content, part.headers["Content-Range"]) == (
            206,
            b"234",
            "bytes 2-4/10",
        )
        head = alice.call("HEAD", url)
        assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", "10")
        again = alice.call("GET", url, headers={"If-None-Match": head.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        # The connection is still in step.
        with httpx.Client(
            headers={"Authorization": f"Bearer {alice.token}"}, base_url=each_server.http
        ) as client:
            for _ in range(3):
                assert client.head(f"/api/v1{url}").status_code == 200
                assert client.get(f"/api/v1{url}").content == b"0123456789"
