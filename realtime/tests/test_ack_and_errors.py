"""How answers name what they answer: by the request's id, and by its type and client_message_id."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.tests.stage import Insider, everything, send_messages
from tests.live import LiveServer, Socket

NOBODYS_ROOM = "00000000-0000-7000-8000-000000000000"


async def answer(socket: Socket, type_: str, data: Any, **rest: Any) -> dict[str, Any]:
    """The first `ack` or `error` after a request."""
    await socket.send(type_, data, **rest)
    while True:
        frame = await socket.receive()
        if frame["type"] in ("ack", "error"):
            return frame


class TestAck:
    async def test_of_a_message_says_where_it_is(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        room = alice.group()
        async with alice.socket() as socket:
            (await socket.receive())
            data = {"room_id": room, "content": "Hello", "client_message_id": "mine.1"}
            ack = await answer(socket, "message", data, id="7")
            event = next((f for f in socket.frames if f["type"] == "message"), None)
            event = event or await socket.until("message")
        assert ack == {
            "type": "ack",
            "id": "7",
            "data": {
                "message_id": event["data"]["id"],
                "room_id": room,
                "seq": 1,
                "pos": event["pos"],
                "client_message_id": "mine.1",
                "created_at": event["data"]["created_at"],
                "duplicate": False,
            },
        }

    async def test_of_a_message_comes_without_an_id_too(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        room = alice.group()
        async with alice.socket() as socket:
            data = {"room_id": room, "content": "Hello", "client_message_id": "mine.1"}
            ack = await answer(socket, "message", data)
        assert ack.keys() == {"type", "data"}
        assert ack["data"]["client_message_id"] == "mine.1"

    async def test_of_a_repeat_names_the_first_message(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        room = alice.group()
        async with alice.socket() as socket:
            data = {"room_id": room, "content": "Hello", "client_message_id": "mine.1"}
            first = await answer(socket, "message", data, id="1")
            again = await answer(socket, "message", data, id="2")
            await everything(socket)
        assert again["id"] == "2"
        assert again["data"] == {**first["data"], "duplicate": True}
        assert [frame["type"] for frame in socket.frames].count("message") == 1

    async def test_of_a_read_comes_only_if_an_id_asks_for_it(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        room = alice.group()
        async with alice.socket() as socket:
            await send_messages(socket, room, 2)
            await socket.send("read", {"room_id": room, "seq": 1})
            ack = await answer(socket, "read", {"room_id": room, "seq": 2}, id="9")
            assert ack["id"] == "9"
            await everything(socket)
        assert [frame.get("id") for frame in socket.frames if frame["type"] == "ack"][2:] == ["9"]

    async def test_of_typing_never_comes(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        room = alice.group()
        async with alice.socket() as socket:
            await socket.send("typing", {"room_id": room, "is_typing": True}, id="9")
            await everything(socket)
        assert [frame["type"] for frame in socket.frames] == ["ready", "pong"]

    async def test_acks_come_in_the_order_of_the_sends(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        room = alice.group()
        async with alice.socket() as socket:
            acks = await send_messages(socket, room, 150)
            ids = [frame["id"] for frame in socket.frames if frame["type"] == "ack"]
        assert [ack["seq"] for ack in acks] == list(range(1, 151))
        assert [int(id_.rpartition("-")[2]) for id_ in ids] == list(range(150))

    async def test_everyone_gets_the_acks_of_their_own_sends_only(self, server: LiveServer) -> None:
        alice, bob = Insider(server, "alice"), Insider(server, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as hers, bob.socket() as his:
            await answer(hers, "message", {"room_id": room, "content": "a"}, id="same")
            await answer(his, "message", {"room_id": room, "content": "b"}, id="same")
            await everything(hers)
            await everything(his)
        for socket, seq in ((hers, 1), (his, 2)):
            assert [f["data"]["seq"] for f in socket.frames if f["type"] == "ack"] == [seq]


class TestError:
    async def test_echoes_id_and_type_and_client_message_id(self, each_server: LiveServer) -> None:
        async with Insider(each_server, "alice").socket() as socket:
            data = {"room_id": NOBODYS_ROOM, "content": "Hello", "client_message_id": "mine.1"}
            error = await answer(socket, "message", data, id="7")
        assert error == {
            "type": "error",
            "id": "7",
            "data": {
                "code": "not_found",
                "detail": error["data"]["detail"],
                "retryable": False,
                "errors": [],
                "request": {"type": "message", "client_message_id": "mine.1"},
            },
        }
        assert error["data"]["detail"]

    async def test_without_an_id_still_names_the_request(self, server: LiveServer) -> None:
        async with Insider(server, "alice").socket() as socket:
            error = await answer(socket, "typing", {"room_id": NOBODYS_ROOM, "is_typing": True})
        assert "id" not in error
        assert error["data"]["request"] == {"type": "typing"}

    @pytest.mark.parametrize("id_", ["a", "i" * 64, "\N{GRINNING FACE}", "<script>", ""])
    async def test_echoes_any_id_exactly(self, server: LiveServer, id_: str) -> None:
        async with Insider(server, "alice").socket() as socket:
            await socket.receive()
            await socket.send("no.such.type", {}, id=id_)
            assert (await socket.receive())["id"] == id_

    async def test_does_not_repeat_an_overlong_type_or_id(self, server: LiveServer) -> None:
        async with Insider(server, "alice").socket() as socket:
            error = await answer(socket, "x" * 1000, {}, id="i" * 1000)
        assert error["data"]["code"] == "invalid_frame"
        assert "id" not in error
        assert error["data"]["request"]["type"] == "x" * 64

    async def test_a_strangers_room_is_as_unknown_as_one_that_does_not_exist(
        self, each_server: LiveServer
    ) -> None:
        room = Insider(each_server, "alice").group()
        async with Insider(each_server, "charlie").socket() as socket:
            theirs = await answer(socket, "message", {"room_id": room, "content": "let me in"})
            nobodys = await answer(socket, "message", {"room_id": NOBODYS_ROOM, "content": "let me in"})
        assert theirs == nobodys

    async def test_of_one_request_does_not_touch_those_sent_with_it(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        room = alice.group()
        async with alice.socket() as socket:
            for number in range(20):
                target = NOBODYS_ROOM if number % 4 == 3 else room
                await socket.send("message", {"room_id": target, "content": str(number)}, id=str(number))
            answers = {}
            while len(answers) < 20:
                frame = await socket.receive()
                if "id" in frame:
                    answers[int(frame["id"])] = frame
        assert [n for n, frame in sorted(answers.items()) if frame["type"] == "error"] == [3, 7, 11, 15, 19]
        seqs = [frame["data"]["seq"] for _, frame in sorted(answers.items()) if frame["type"] == "ack"]
        assert seqs == list(range(1, 16))
