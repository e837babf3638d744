"""Too many frames, too many sockets: a burst is none yet, and sockets are counted over all processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress

import pytest
import websockets
from django.conf import settings

from realtime.tests.stage import Insider
from tests.live import LiveServer, Socket
from tests.with_servers import free_port

LIMITS = {
    "WS_FRAME_BURST": "400",
    "WS_FRAMES_PER_SECOND": "100",
    "WS_CONNECTIONS_PER_USER": "3",
    "MESSAGE_BURST": "40",
    "MESSAGES_PER_SECOND": "20",
    "WS_HEARTBEAT_SECONDS": "2",
}
TTL = 4.5

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def strict(django_db_setup: None) -> Iterator[LiveServer]:
    """A server with the limits of production, but for three sockets a user and a fast heartbeat."""
    server = LiveServer(**LIMITS).start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def elsewhere(strict: LiveServer) -> Iterator[LiveServer]:
    """Another process with the same limits. Without Redis there can be no other one."""
    if not settings.REDIS_URLS:
        yield strict
        return
    server = LiveServer("daphne", **LIMITS).start()
    yield server
    server.close()


async def flood(mallory: Insider) -> tuple[set[str], int]:
    """As many frames as the server takes; the codes of its errors, and its last word."""
    async with mallory.socket() as socket:
        await socket.until("ready")
        with suppress(websockets.ConnectionClosed):
            for _ in range(10_000):
                await socket.send("ping")
        code = await socket.closed()
    return {frame["data"]["code"] for frame in socket.frames if frame["type"] == "error"}, code


class TestFlood:
    async def test_is_refused_then_closed_with_4429_and_others_go_on_meanwhile(
        self, strict: LiveServer
    ) -> None:
        alice, bob = Insider(strict, "alice"), Insider(strict, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as hers, bob.socket() as his:
            for socket in (hers, his):
                await socket.until("ready")
            floods = [asyncio.create_task(flood(Insider(strict, f"mallory{n}"))) for n in range(5)]
            for number in range(20):
                said = {"room_id": room, "content": f"Hi {number}"}
                assert (await hers.ask("message", said))["type"] == "ack"
                assert (await his.until("message"))["data"]["content"] == said["content"]
            assert await asyncio.gather(*floods) == [({"rate_limited"}, 4429)] * 5


async def enter(stack: AsyncExitStack, person: Insider, server: LiveServer) -> Socket:
    socket = await stack.enter_async_context(person.socket(server))
    await socket.until("ready")
    return socket


async def open_(*sockets: Socket) -> bool:
    return all([(await socket.ask("ping"))["type"] == "pong" for socket in sockets])


class TestFrames:
    async def test_a_short_burst_is_no_flood(self, strict: LiveServer) -> None:
        async with Insider(strict, "alice").socket() as socket:
            await socket.until("ready")
            for number in range(300):
                await socket.send("ping", id=str(number))
            while (await socket.until("pong"))["id"] != "299":
                pass

    async def test_ready_tells_the_limits(self, strict: LiveServer) -> None:
        async with Insider(strict, "alice").socket() as socket:
            limits = (await socket.until("ready"))["data"]["limits"]
        assert (limits["message_burst"], limits["messages_per_second"]) == (40, 20)
        assert (limits["frame_burst"], limits["frames_per_second"], limits["connections"]) == (400, 100, 3)


class TestConnections:
    async def test_the_oldest_of_all_processes_is_closed_and_nobody_elses(
        self, strict: LiveServer, elsewhere: LiveServer
    ) -> None:
        alice, bob = Insider(strict, "alice"), Insider(strict, "bob")
        async with AsyncExitStack() as stack:
            his = await enter(stack, bob, elsewhere)
            hers = [await enter(stack, alice, server) for server in (elsewhere, strict, elsewhere)]
            for number, server in enumerate((strict, strict, elsewhere, strict)):
                hers.append(await enter(stack, alice, server))
                assert await hers[number].closed() == 4409
                assert await open_(his, *hers[number + 1 :])

    async def test_of_many_at_once_the_newest_stay(self, strict: LiveServer, elsewhere: LiveServer) -> None:
        alice = Insider(strict, "alice")
        async with AsyncExitStack() as stack:
            early = [alice.socket(server) for server in (strict, elsewhere) * 5]
            await asyncio.gather(*(stack.enter_async_context(socket) for socket in early))
            late = [await enter(stack, alice, server) for server in (strict, elsewhere, elsewhere)]
            assert await asyncio.gather(*(socket.closed() for socket in early)) == [4409] * 10
            assert await open_(*late)

    async def test_as_many_as_allowed_stay_for_longer_than_a_presence_lasts(
        self, strict: LiveServer, elsewhere: LiveServer
    ) -> None:
        alice = Insider(strict, "alice")
        async with AsyncExitStack() as stack:
            sockets = [await enter(stack, alice, server) for server in (strict, elsewhere, strict)]
            await asyncio.sleep(TTL + 1)
            assert await open_(*sockets)
            await enter(stack, alice, elsewhere)
            assert await sockets[0].closed() == 4409
            assert await open_(*sockets[1:])

    async def test_those_of_a_killed_process_count_no_longer_than_their_presence(
        self, strict: LiveServer, transactional_db: None
    ) -> None:
        mortal = LiveServer(**LIMITS).start()
        alice = Insider(strict, "alice")
        try:
            async with AsyncExitStack() as stack:
                oldest = await enter(stack, alice, strict)
                for _ in range(2):
                    await enter(stack, alice, mortal)
                mortal.kill()
                await asyncio.sleep(TTL + 1)
                others = [await enter(stack, alice, strict) for _ in range(2)]
                await asyncio.sleep(1)  # longer than what closes one takes
                assert await open_(oldest, *others)
                await enter(stack, alice, strict)
                assert await oldest.closed() == 4409
        finally:
            mortal.close()

    async def test_without_redis_each_process_counts_its_own(self, django_db_setup: None) -> None:
        alone = LiveServer(**LIMITS, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0").start()
        alice = Insider(alone, "alice")
        try:
            async with AsyncExitStack() as stack:
                sockets = [await enter(stack, alice, alone) for _ in range(4)]
                assert await sockets[0].closed() == 4409
                assert await open_(*sockets[1:])
        finally:
            alone.close()
