"""An orderly stop: told first, answered still, closed with 1012 one by one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest
import websockets

from realtime.tests.stage import Insider
from tests.live import LiveServer, Socket


@pytest.fixture
def mortal(transactional_db: None) -> Iterator[LiveServer]:
    server = LiveServer(WS_DRAIN_SECONDS="2").start()
    yield server
    server.close()


def terminate(server: LiveServer) -> None:
    assert server.process
    server.process.send_signal(signal.SIGTERM)


async def last_moments(socket: Socket) -> tuple[int, float]:
    code = await socket.closed()
    return code, asyncio.get_running_loop().time()


async def test_everyone_is_told_to_reconnect_and_closed_with_1012_at_different_times(
    mortal: LiveServer,
) -> None:
    people = [Insider(mortal, f"user{number}") for number in range(12)]
    sockets = [person.socket() for person in people]
    for socket in sockets:
        await socket.__aenter__()
        await socket.until("ready")
    terminate(mortal)
    ends = await asyncio.gather(*(last_moments(socket) for socket in sockets))
    assert {code for code, _ in ends} == {1012}
    for socket in sockets:
        (told,) = [frame for frame in socket.frames if frame["type"] == "reconnect"]
        assert 0 <= told["data"]["after_ms"] <= 2000
    moments = [moment for _, moment in ends]
    assert max(moments) - min(moments) > 0.5, "All would come back at once."
    for socket in sockets:
        await socket.__aexit__(None, None, None)


async def test_what_was_taken_is_answered_and_nothing_is_lost_or_doubled(mortal: LiveServer) -> None:
    alice = Insider(mortal, "alice")
    room = alice.group()
    acked: set[str] = set()
    async with alice.socket() as socket:
        await socket.until("ready")

        async def talk() -> None:
            for number in range(100_000):
                data = {"room_id": room, "content": "Hi", "client_message_id": f"m-{number}"}
                await socket.send("message", data)
                await asyncio.sleep(0.002)

        talking = asyncio.create_task(talk())
        await socket.until("ack")
        terminate(mortal)
        assert await socket.closed() == 1012
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        acked |= {f["data"]["client_message_id"] for f in socket.frames if f["type"] == "ack"}
    assert mortal.process
    mortal.process.wait(timeout=20)
    mortal.start()
    saved = []
    page = alice.call("GET", f"/rooms/{room}/messages?after=0&limit=100").json()
    while True:
        saved += [message["client_message_id"] for message in page["results"]]
        if page["next_cursor"] is None:
            break
        page = alice.call("GET", f"/rooms/{room}/messages?limit=100&cursor={page['next_cursor']}").json()
    assert len(saved) == len(set(saved))
    # Every request that was taken is answered: what is saved is acknowledged, and the other way round.
    assert set(saved) == acked


async def test_a_new_socket_finds_no_listener(mortal: LiveServer) -> None:
    alice = Insider(mortal, "alice")
    async with alice.socket() as socket:
        await socket.until("ready")
        terminate(mortal)
        await socket.until("reconnect")
        with pytest.raises((OSError, websockets.WebSocketException)):
            async with alice.socket() as other:
                await other.receive()
        assert await socket.closed() == 1012
