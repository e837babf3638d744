"""Every close code once, from a real server to a real socket; under Daphne what comes in its place."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import websockets

from accounts.models import User
from realtime.close_codes import CloseCode
from realtime.tests.credentials import bearer, subprotocols, token_that_ends_in
from realtime.tests.stage import Insider, in_thread, shaken_hands, small_socket
from tests.live import RECEIVE_SECONDS, ROOT, LiveServer, Socket
from tests.with_servers import free_port

DROPPED = 1006
"""What a client's library says of a connection that ended without a close frame."""

pytestmark = pytest.mark.django_db(transaction=True)


def on(server: LiveServer, code: int, *, daphne: int) -> int:
    """Daphne lets applications say only 3000–4999, and its library drops connections that are wrong."""
    return daphne if server.kind == "daphne" else code


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def strict(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[LiveServer]:
    """A server of each kind that allows little and waits for nobody; its Redis is away."""
    server = LiveServer(
        request.param,
        REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
        WS_AUTH_SECONDS="1",
        WS_CONNECTIONS_PER_USER="3",
        WS_FRAME_BURST="200",
        WS_FRAMES_PER_SECOND="20",
        WS_HEARTBEAT_SECONDS="3",
    )
    yield server.start()
    server.close()


async def code_after(server: LiveServer, payload: str | bytes, **options: Any) -> int:
    """How the socket of someone who sends this is closed."""
    async with Insider(server, "alice").socket() as socket:
        await socket.receive()
        await socket.raw.send(payload, **options)
        return await socket.closed()


async def refusal(socket: Socket) -> tuple[str, int]:
    """What a socket is told that doesn't get in."""
    frame = await socket.receive()
    assert frame["type"] == "error", frame
    return frame["data"]["code"], await socket.closed()


# --- The client is broken -----------------------------------------------------------------------


async def test_a_frame_without_a_mask_closes_with_1002(each_server: LiveServer) -> None:
    async with Insider(each_server, "alice").socket() as socket:
        await socket.receive()
        socket.raw.transport.write(b"\x81\x02{}")
        assert await socket.closed() == on(each_server, 1002, daphne=DROPPED)


async def test_a_binary_frame_closes_with_1003(each_server: LiveServer) -> None:
    assert await code_after(each_server, b'{"type":"ping"}') == on(each_server, 1003, daphne=4400)


async def test_bad_utf_8_closes_with_1007(each_server: LiveServer) -> None:
    code = await code_after(each_server, b'{"type":"\xff"}', text=True)
    assert code == on(each_server, 1007, daphne=DROPPED)


async def test_over_64_kib_closes_with_1009(each_server: LiveServer) -> None:
    text = '{"type":"ping","data":"' + "a" * 65_536 + '"}'
    assert await code_after(each_server, text) == on(each_server, 1009, daphne=4400)


async def test_the_tenth_bad_frame_in_a_minute_closes_with_4400(each_server: LiveServer) -> None:
    bad = ["{", "[]", '{"type":"no such type"}']
    async with Insider(each_server, "alice").socket() as socket:
        await socket.receive()
        for number in range(9):
            await socket.raw.send(bad[number % 3])
            assert (await socket.receive())["type"] == "error"
            assert (await socket.ask("ping"))["type"] == "pong"
        await socket.raw.send("{")
        assert (await socket.receive())["data"]["code"] == "malformed_json"
        assert await socket.closed() == 4400


# --- Who is there -------------------------------------------------------------------------------


async def test_a_bad_token_in_the_handshake_closes_with_4401(each_server: LiveServer) -> None:
    alice = Insider(each_server, "alice")
    ways: list[dict[str, Any]] = [
        {"additional_headers": bearer(alice.refresh)},
        {"subprotocols": subprotocols(alice.refresh)},
        {"url": f"{each_server.ws}?token={alice.refresh}"},
        {"url": f"{each_server.ws}?ticket={alice.refresh}"},
    ]
    for way in ways:
        async with Socket(**{"url": each_server.ws, **way}) as socket:
            assert await refusal(socket) == ("token_invalid", 4401)


async def test_a_suspended_user_closes_with_4403(each_server: LiveServer) -> None:
    alice = Insider(each_server, "alice")
    in_thread(User.objects.filter(id=alice.id).update, is_active=False)
    async with alice.socket() as socket:
        assert await refusal(socket) == ("account_suspended", 4403)


async def test_who_says_nothing_is_told_so_and_closed_with_4408(strict: LiveServer) -> None:
    async with Socket(strict.ws) as socket:
        assert await refusal(socket) == ("auth_required", 4408)


async def test_a_warning_comes_before_the_token_ends_and_4440_then(each_server: LiveServer) -> None:
    alice = Insider(each_server, "alice")
    async with Socket(each_server.ws, additional_headers=bearer(token_that_ends_in(2, alice))) as socket:
        assert (await socket.receive())["type"] == "ready"
        assert (await socket.receive())["type"] == "token.expiring"
        assert await socket.closed() == 4440


async def test_a_token_of_a_session_that_ended_closes_with_4441(each_server: LiveServer) -> None:
    alice = Insider(each_server, "alice")
    alice.call("POST", "/auth/logout").raise_for_status()
    async with alice.socket() as socket:
        assert await refusal(socket) == ("session_revoked", 4441)


# --- Too much, too slow, too silent -------------------------------------------------------------


async def test_one_socket_too_many_closes_the_oldest_with_4409(strict: LiveServer) -> None:
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


async def test_a_flood_is_refused_then_closed_with_4429_and_others_go_on(strict: LiveServer) -> None:
    mallory, alice, bob = (Insider(strict, name) for name in ("mallory", "alice", "bob"))
    room = alice.direct_room_with(bob)
    async with mallory.socket() as flood, alice.socket() as hers, bob.socket() as his:
        for socket in (flood, hers, his):
            await socket.until("ready")
        with suppress(websockets.ConnectionClosed):
            for _ in range(10_000):
                await flood.send("ping")
        code = await flood.closed()
        if strict.kind != "daphne" or code != DROPPED:  # Daphne now and then resets who still sends.
            codes = {frame["data"]["code"] for frame in flood.frames if frame["type"] == "error"}
            assert (code, codes) == (4429, {"rate_limited"})
        assert (await hers.ask("message", {"room_id": room, "content": "Hi"}))["type"] == "ack"
        assert (await his.until("message"))["data"]["content"] == "Hi"


async def test_who_answers_no_ping_is_closed_with_4408(strict: LiveServer) -> None:
    loop = asyncio.get_running_loop()
    with small_socket(strict) as line:
        client = await shaken_hands(Insider(strict, "alice"), line)
        with suppress(ConnectionResetError):  # as Daphne ends it
            while data := await asyncio.wait_for(loop.sock_recv(line, 65_536), RECEIVE_SECONDS):
                client.receive_data(data)
        client.receive_eof()
    assert client.close_code == on(strict, 4408, daphne=DROPPED)


async def test_who_does_not_read_for_long_is_closed_with_4450(transactional_db: None) -> None:
    """Under Daphne nobody is slow: it keeps in memory what is not read."""
    impatient = LiveServer(WS_SLOW_SECONDS="1").start()
    alice = Insider(impatient, "alice")
    try:
        async with alice.socket(max_queue=1, sock=small_socket(impatient)) as socket:
            # More than fits between the two ends. Only when the server has given up does it take the rest.
            for _ in range(500):
                await socket.send("ping", "a" * 60_000)
            assert await socket.closed() == 4450
    finally:
        impatient.close()


# --- The server can't ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
async def test_a_server_that_stops_closes_with_1012(transactional_db: None, kind: str) -> None:
    mortal = LiveServer(kind, WS_DRAIN_SECONDS="1").start()
    try:
        async with Insider(mortal, "alice").socket() as socket:
            await socket.until("ready")
            assert mortal.process
            mortal.process.send_signal(signal.SIGTERM)
            assert await socket.closed() == on(mortal, 1012, daphne=DROPPED)
    finally:
        mortal.close()


async def test_a_ticket_while_redis_is_away_closes_with_1013(strict: LiveServer) -> None:
    async with Socket(f"{strict.ws}?ticket={'t' * 43}") as socket:
        assert await refusal(socket) == ("unavailable", on(strict, 1013, daphne=4450))


# --- None is left out ---------------------------------------------------------------------------


def documented() -> set[int]:
    """The codes in the first column of the protocol's table."""
    section = (ROOT / "docs/protocol.md").read_text().split("## Close codes")[1]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    return {int(code) for cell in cells for code in re.findall(r"\d{4}", cell)}


def test_every_close_code_has_a_case_here_and_a_line_in_the_protocol() -> None:
    cases = re.findall(r"^(?:async )?def (test_\w+)", Path(__file__).read_text(), re.MULTILINE)
    assert {int(code) for name in cases for code in re.findall(r"_([14]\d{3})(?:_|$)", name)} == set(
        CloseCode
    )
    assert documented() == set(CloseCode)
