"""Clients that don't finish their request, or don't read its answer: they hold nothing for long, and nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress

import httpx
import pytest

from realtime.tests.stage import Insider, everything
from realtime.tests.wire import Wire, connections, memory_mib, request_head, until_connections
from tests.live import LiveServer

REQUEST = 3
"""HTTP_REQUEST_SECONDS of the server that these tests have for themselves."""

HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
BODY = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY += b"Content-Length: 1000\r\n\r\n"
LARGE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def hurried(django_db_setup: None) -> Iterator[LiveServer]:
    server = LiveServer(HTTP_REQUEST_SECONDS=str(REQUEST), HTTP_THREADS="2").start()
    yield server
    server.close()


@asynccontextmanager
async def dripping(wire: Wire, data: bytes) -> AsyncIterator[None]:
    """Send a byte every fifth of a second."""

    async def drip() -> None:
        with suppress(OSError):
            for number in range(len(data)):
                wire.send(data[number : number + 1])
                await asyncio.sleep(0.2)

    task = asyncio.create_task(drip())
    yield
    task.cancel()


async def live(server: LiveServer) -> int:
    async with httpx.AsyncClient(timeout=10) as client:
        return (await client.get(f"{server.http}/health/live")).status_code


def answered(wire: Wire) -> Wire:
    """The same after a first request, whose answer has come."""
    wire.send(HEAD + b"\r\n")
    while b'{"status": "ok"}' not in wire.received:
        assert wire.read(4096)
    return wire


STARTS = {
    "nothing": b"",
    "half a handshake": b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n",
    "half a head": HEAD,
    "no body": BODY,
    "half a body": BODY + b"{" * 500,
}


class TestUnfinishedRequests:
    @pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
    async def test_are_given_up(self, hurried: LiveServer, start: bytes) -> None:
        with Wire(hurried) as fresh, answered(Wire(hurried)) as used:
            for wire in (fresh, used):
                wire.send(start)
            await until_connections(hurried, 0)

    @pytest.mark.parametrize("whole", [HEAD + b"A: b\r\n" * 100, BODY + b"{" * 999, b"\r\n" * 500])
    async def test_are_given_up_however_steadily_they_come(self, hurried: LiveServer, whole: bytes) -> None:
        with Wire(hurried) as fresh, answered(Wire(hurried)) as used:
            async with dripping(fresh, whole), dripping(used, whole):
                await until_connections(hurried, 0)

    async def test_hold_up_nobody(self, hurried: LiveServer) -> None:
        with ExitStack() as stack:
            for _ in range(20):
                stack.enter_context(Wire(hurried)).send(BODY)
            assert await live(hurried) == 200
            # The server may not have noticed yet that who got an answer is gone.
            assert connections(hurried) >= 20
            await until_connections(hurried, 0)

    async def test_end_before_they_fill_the_memory(self, hurried: LiveServer) -> None:
        before = memory_mib(hurried)
        with Wire(hurried) as wire:
            wire.send(HEAD + b"A: ")
            with pytest.raises(ConnectionError):
                await asyncio.to_thread(wire.send, b"a" * 100 * 2**20)
        assert memory_mib(hurried) - before < 30


class TestFinishedRequests:
    async def test_take_their_time_if_much_comes(self, hurried: LiveServer) -> None:
        """20 KB a second, for twice as long as a head may take."""
        parts = [b" " * 2000] * REQUEST * 20
        with Wire(hurried) as wire:
            wire.send(BODY.replace(b"1000", str(2000 * len(parts)).encode()))
            for part in parts:
                wire.send(part)
                await asyncio.sleep(0.1)
            assert wire.read(4096).startswith(b"HTTP/1.1 400")

    async def test_leave_the_socket_alone(self, hurried: LiveServer) -> None:
        alice = Insider(hurried, "alice")
        with Wire(hurried) as wire:
            head = request_head(hurried, alice)
            wire.send(head[:40])
            await asyncio.sleep(0.2)
            wire.send(head[40:])
            async with alice.socket() as socket:
                await asyncio.sleep(REQUEST * 1.5)
                await everything(socket)
            assert b"101 Switching" in wire.read(65536)
            assert connections(hurried) == 1


class TestUnreadAnswers:
    async def test_hold_up_nobody_and_are_given_up(self, hurried: LiveServer) -> None:
        with ExitStack() as stack:
            for _ in range(10):
                wire = stack.enter_context(Wire(hurried, window=4096))
                wire.send(f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 10)
            many = stack.enter_context(Wire(hurried, window=4096))
            many.send((HEAD + b"\r\n") * 1000)
            assert await live(hurried) == 200
            await until_connections(hurried, 0)
