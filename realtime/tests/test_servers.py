"""What a server process may suffer from its clients, and its clients from it."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import websockets
from websockets.client import ClientProtocol

from realtime.tests.stage import (
    WINDOW,
    Insider,
    events,
    positions,
    send_messages,
    shaken_hands,
    small_socket,
    until_position,
)
from tests.live import LiveServer, Socket

PATIENCE = 1
"""WS_SLOW_SECONDS of the server that these tests have for themselves."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def own_server(django_db_setup: None) -> Iterator[LiveServer]:
    """A server that a test may kill, and that has less patience with slow readers."""
    server = LiveServer("uvicorn", WS_SLOW_SECONDS=str(PATIENCE)).start()
    yield server
    server.close()


async def flood(client: ClientProtocol, line: sockets.socket) -> None:
    """Pings without a pause, whose pongs nobody reads."""
    while True:
        client.send_text(json.dumps({"type": "ping", "data": "a" * 60_000}).encode())
        await asyncio.get_running_loop().sock_sendall(line, b"".join(client.data_to_send()))


class TestSlowClient:
    """On Daphne nobody is slow: it has no back-pressure, and keeps in memory what is not read."""

    async def test_who_never_reads_is_let_go_and_the_others_get_everything(
        self, own_server: LiveServer
    ) -> None:
        alice, bob = Insider(own_server, "alice"), Insider(own_server, "bob")
        charlie = Insider(own_server, "charlie")
        room = alice.group(bob, charlie)
        stream = f"room:{room}"
        text = "\N{GRINNING FACE}" * 750

        async with (
            alice.socket() as hers,
            bob.socket() as his,
            charlie.socket(max_queue=1, sock=small_socket(own_server)) as slow,
        ):
            for socket in (his, slow):
                await socket.until("ready")  # what is said before it is none of theirs
            patience = asyncio.create_task(asyncio.sleep(2 * PATIENCE))
            reading = asyncio.create_task(until_position(his, stream, 3000))
            await send_messages(hers, room, 3000, lambda number: f"{number} {text}")
            await reading
            await patience  # over long ago, unless the machine is very fast
            assert positions(his, stream) == list(range(1, 3001))
            # 4450 if it reads again within the seconds in which a close frame may still get out.
            assert await slow.closed() in (4450, 1006)
            seen = positions(slow, stream)
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) < 3000
        async with Socket(own_server.ws) as again:
            await again.ask("auth", {"token": charlie.token, "cursors": {stream: len(seen)}})
            await until_position(again, stream, 3000)
            assert positions(again, stream) == list(range(len(seen) + 1, 3001))

    async def test_who_reads_slowly_but_steadily_misses_nothing(self, own_server: LiveServer) -> None:
        alice, bob = Insider(own_server, "alice"), Insider(own_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        async with (
            alice.socket() as hers,
            bob.socket(max_queue=1, sock=small_socket(own_server)) as his,
        ):
            await his.until("ready")
            talk = asyncio.create_task(send_messages(hers, room, 600, lambda n: f"{n} {'a' * 3000}"))
            while 600 not in positions(his, stream):
                await his.receive()
                await asyncio.sleep(0.001)
            await talk
        assert positions(his, stream) == list(range(1, 601))

    async def test_who_neither_reads_nor_answers_pings_is_dropped_though_bytes_wait_for_it(
        self, transactional_db: None
    ) -> None:
        patient = LiveServer(WS_HEARTBEAT_SECONDS="1", WS_SLOW_SECONDS="600").start()
        try:
            with small_socket(patient) as line:
                client = await shaken_hands(Insider(patient, "alice"), line)
                with pytest.raises(OSError, match=r"reset|Broken pipe"):
                    await asyncio.wait_for(flood(client, line), 30)
        finally:
            patient.kill()  # in an orderly stop it would wait for the hung one
            patient.close()


class Sender:
    """Sends numbered messages with a client_message_id each, and keeps what was acknowledged."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.prefix = uuid4().hex[:8]
        self.acks: dict[str, dict[str, Any]] = {}
        self.sent: list[str] = []

    async def send(self, socket: Socket, ids: list[str]) -> None:
        """Send these and wait for the acks, unless the socket ends before."""
        waiting = list(ids)
        under_way: set[str] = set()
        while waiting or under_way:
            while waiting and len(under_way) < WINDOW:
                id_ = waiting.pop(0)
                data = {"room_id": self.room, "content": f"message {id_}", "client_message_id": id_}
                under_way.add(id_)
                self.sent.append(id_)
                await socket.send("message", data, id=id_)
            frame = await socket.receive()
            if frame["type"] == "ack":
                self.acks[frame["id"]] = frame["data"]
                under_way.discard(frame["id"])

    @property
    def unanswered(self) -> list[str]:
        return [id_ for id_ in self.sent if id_ not in self.acks]


class TestKill:
    async def test_after_kill_9_what_was_acknowledged_is_there_and_a_repeat_is_one_message(
        self, own_server: LiveServer
    ) -> None:
        alice, bob = Insider(own_server, "alice"), Insider(own_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        sender = Sender(room)
        ids = [f"{sender.prefix}-{number}" for number in range(2000)]

        async with alice.socket() as hers, bob.socket() as his:
            await his.until("ready")
            sending = asyncio.create_task(sender.send(hers, ids))
            await until_position(his, stream, 200)
            own_server.kill()
            with pytest.raises(websockets.ConnectionClosed):
                await sending
            assert await his.closed() == 1006
        before = events(his, stream)
        cursor = before[-1]["pos"]
        assert len(sender.acks) >= 100
        assert sender.unanswered, "it was killed amid the sending"

        own_server.start()
        async with alice.socket() as hers, Socket(own_server.ws) as his:
            await his.ask("auth", {"token": bob.token, "cursors": {stream: cursor}})
            lost = sender.unanswered
            sender.sent = [id_ for id_ in sender.sent if id_ in sender.acks]
            await sender.send(hers, lost)
            last = max(ack["pos"] for ack in sender.acks.values())
            await until_position(his, stream, last)
            after = events(his, stream)
            history = all_messages(bob, room)

        seen = before + after
        assert [event["pos"] for event in seen] == list(range(1, last + 1))
        assert [event["data"]["seq"] for event in seen] == list(range(1, last + 1))
        assert [message["seq"] for message in history] == list(range(1, last + 1))
        by_id = {message["client_message_id"]: message for message in history}
        assert len(by_id) == len(history), "each exists once"
        assert by_id.keys() == sender.acks.keys()
        for id_, ack in sender.acks.items():
            assert (by_id[id_]["id"], by_id[id_]["seq"]) == (ack["message_id"], ack["seq"])
        assert [event["data"]["client_message_id"] for event in seen] == [
            message["client_message_id"] for message in history
        ]

    async def test_a_restart_tells_clients_to_come_again(self, own_server: LiveServer) -> None:
        alice = Insider(own_server, "alice")
        async with alice.socket() as socket:
            await socket.receive()
            await asyncio.to_thread(own_server.stop)
            assert await socket.closed() == 1012
        own_server.start()
        async with alice.socket() as socket:
            assert (await socket.receive())["type"] == "ready"


def all_messages(person: Insider, room: str) -> list[dict[str, Any]]:
    """The room's history, oldest first, as REST gives it."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else 0
        page = person.call("GET", f"/rooms/{room}/messages", params={"after": after, "limit": 100}).json()
        if not page["results"]:
            return found
        found += page["results"]


class TestTwoServers:
    """Two processes, of different kinds, on one database."""

    async def test_both_deliver_what_either_saves(
        self, running: Callable[[str], LiveServer], transactional_db: None
    ) -> None:
        first, second = running("uvicorn"), running("daphne")
        alice, bob = Insider(first, "alice"), Insider(second, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        async with alice.socket() as hers, bob.socket() as his:
            for socket in (hers, his):
                await socket.receive()
            acks = await asyncio.gather(send_messages(hers, room, 150), send_messages(his, room, 150))
            for socket in (hers, his):
                await until_position(socket, stream, 300)
                assert positions(socket, stream) == list(range(1, 301))
            assert events(hers, stream) == events(his, stream)
        assert sorted(ack["seq"] for part in acks for ack in part) == list(range(1, 301))

    async def test_a_room_opened_on_one_is_followed_on_the_other(
        self, running: Callable[[str], LiveServer], transactional_db: None
    ) -> None:
        first, second = running("uvicorn"), running("daphne")
        alice, bob = Insider(first, "alice"), Insider(second, "bob")
        async with alice.socket() as hers, bob.socket() as his:
            for socket in (hers, his):
                await socket.receive()
            room = alice.group(bob)
            await his.until("room.joined")
            await send_messages(hers, room, 3)
            await until_position(his, f"room:{room}", 3)
            alice.call("DELETE", f"/rooms/{room}/members/{bob.id}").raise_for_status()
            await send_messages(hers, room, 3)
            await his.until("room.left")
            await until_position(his, f"room:{room}", 4)
            await until_position(hers, f"room:{room}", 7)
            await his.ask("ping")
            assert positions(his, f"room:{room}") == [1, 2, 3, 4]
