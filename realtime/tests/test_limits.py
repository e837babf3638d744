"""Too many frames, too many sockets: refused first, closed if it goes on; others don't notice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import websockets

from realtime.tests.stage import Insider
from tests.live import LiveServer


@pytest.fixture(scope="module")
def strict(django_db_setup: None) -> Iterator[LiveServer]:
    """A server with the limits of production, but for three sockets a user."""
    server = LiveServer(
        WS_FRAME_BURST="400",
        WS_FRAMES_PER_SECOND="100",
        WS_CONNECTIONS_PER_USER="3",
        MESSAGE_BURST="40",
        MESSAGES_PER_SECOND="20",
    ).start()
    yield server
    server.close()


@pytest.mark.django_db(transaction=True)
class TestFlood:
    async def test_is_refused_then_closed_with_4429_and_others_go_on(self, strict: LiveServer) -> None:
        mallory, alice, bob = (Insider(strict, name) for name in ("mallory", "alice", "bob"))
        room = alice.direct_room_with(bob)
        async with mallory.socket() as flood, alice.socket() as hers, bob.socket() as his:
            for socket in (flood, hers, his):
                await socket.until("ready")
            try:
                for _ in range(10_000):
                    await flood.send("ping")
            except websockets.ConnectionClosed:
                pass
            assert await flood.closed() == 4429
            codes = {frame["data"]["code"] for frame in flood.frames if frame["type"] == "error"}
            assert codes == {"rate_limited"}
            assert (await hers.ask("message", {"room_id": room, "content": "Hi"}))["type"] == "ack"
            assert (await his.until("message"))["data"]["content"] == "Hi"

    async def test_a_short_burst_is_no_flood(self, strict: LiveServer) -> None:
        alice = Insider(strict, "alice")
        async with alice.socket() as socket:
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


@pytest.mark.django_db(transaction=True)
class TestConnections:
    async def test_one_too_many_closes_the_oldest_with_4409(self, strict: LiveServer) -> None:
        alice, bob = Insider(strict, "alice"), Insider(strict, "bob")
        sockets = [alice.socket() for _ in range(4)]
        async with bob.socket() as his:
            await his.until("ready")
            for socket in sockets:
                await socket.__aenter__()
                await socket.until("ready")
            assert await sockets[0].closed() == 4409
            for socket in (*sockets[1:], his):
                assert (await socket.ask("ping"))["type"] == "pong"
            for socket in sockets:
                await socket.__aexit__(None, None, None)
