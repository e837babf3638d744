"""What is not a frame: one `error` each, and the socket goes on; or the close code that RFC 6455 names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from realtime.tests.stage import Insider, send_messages
from tests.live import LiveServer, Socket


def deep(levels: int) -> str:
    return '{"type":"ping","data":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def frame(type_: Any, data: Any, **rest: Any) -> str:
    return json.dumps({"type": type_, "data": data, **rest})


ROOM = "00000000-0000-7000-8000-000000000000"

MALFORMED = {
    "empty": "",
    "not JSON": "hello",
    "two values": '{"type":"ping"}{"type":"ping"}',
    "single quotes": "{'type':'ping'}",
    "cut off": '{"type":"ping","data":{',
    "33 levels": deep(33),
    "10,000 levels": "[" * 10_000,
    "5,000 digits": '{"type":"ping","data":{"n":' + "9" * 5_000 + "}}",
    "NaN": '{"type":"ping","data":{"n":NaN}}',
    "Infinity": '{"type":"ping","data":{"n":-Infinity}}',
    "1e999": '{"type":"ping","data":{"n":1e999}}',
    "a key twice": '{"type":"ping","type":"message"}',
    "a key twice, deeper": '{"type":"ping","data":{"a":1,"a":2}}',
    "a byte order mark": '\ufeff{"type":"ping"}',
    "a raw control character": '{"type":"ping","data":{"a":"\x00"}}',
}
INVALID = {
    "a list": "[]",
    "a string": '"ping"',
    "a number": "1",
    "null": "null",
    "no type": '{"data":{}}',
    "a number as type": frame(1, {}),
    "null as type": frame(None, {}),
    "a list as type": frame(["ping"], {}),
    "a number as id": frame("ping", {}, id=1),
    "65 characters of id": frame("ping", {}, id="i" * 65),
    "no data": '{"type":"message"}',
    "null as data": frame("message", None),
    "a list as data": frame("message", []),
    "a string as data": frame("message", "hello"),
    "a number as cursors' place": frame("resume", 5),
}
UNKNOWN = {
    "no such type": frame("no.such.type", {}),
    "an empty type": frame("", {}),
    "another case": frame("PING", {}),
    "a server's type": frame("ready", {}),
    "a method's name": frame("websocket.disconnect", {}),
    "60,000 characters": frame("x" * 60_000, {}),
}
UNSTORABLE = {
    "NUL": (frame("message", {"room_id": ROOM, "content": "a\0b"}), "data.content"),
    "a lone surrogate": (frame("message", {"room_id": ROOM, "content": "\ud83d"}), "data.content"),
    "a pair the wrong way round": (frame("ping", {"a": ["\udc00\ud83d"]}), "data.a.0"),
    "NUL in a key": (frame("ping", {"a": {"\0": 1}}), "data.a"),
    "NUL in the type": (frame("ping\0", {}), "type"),
    "NUL in the id": (frame("ping", {}, id="\0"), "id"),
}
WRONG_DATA = {
    "an unknown key": ({"content": "a", "is_admin": True}, "unknown_field", ("is_admin", "unknown_field")),
    "a missing key": ({"content": "a"}, "validation_error", ("room_id", "required")),
    "a number as text": ({"room_id": ROOM, "content": 5}, "validation_error", ("content", "invalid")),
    "null as room": ({"room_id": None}, "validation_error", ("room_id", "invalid")),
    "a list as id": (
        {"room_id": ROOM, "content": "a", "client_message_id": ["a"]},
        *("validation_error", ("client_message_id", "invalid")),
    ),
}
REFUSED = [
    *((text, "malformed_json") for text in MALFORMED.values()),
    *((text, "invalid_frame") for text in INVALID.values()),
    *((text, "unknown_type") for text in UNKNOWN.values()),
]
NAMES = [*MALFORMED, *INVALID, *UNKNOWN]


async def alive(socket: Socket) -> bool:
    return (await socket.ask("ping", {"still": "here"}))["data"] == {"still": "here"}


async def refusal(socket: Socket, text: str) -> dict[str, Any]:
    """The only frame that answers `text`, which is an error."""
    await socket.raw.send(text)
    error = await socket.receive()
    assert error["type"] == "error"
    assert {"code", "detail", "retryable", "errors", "request"} <= error["data"].keys()
    assert await alive(socket)
    return error


@pytest.mark.parametrize(("text", "code"), REFUSED, ids=NAMES)
async def test_a_bad_frame_gets_one_error_and_the_socket_goes_on(
    server: LiveServer, text: str, code: str
) -> None:
    async with Insider(server, "alice").socket() as socket:
        await socket.receive()
        error = await refusal(socket, text)
    assert error["data"]["code"] == code
    assert error["data"]["retryable"] is False
    assert len(json.dumps(error)) < 600, "an answer is not larger than the question deserves"


@pytest.mark.parametrize(("text", "attr"), UNSTORABLE.values(), ids=UNSTORABLE)
async def test_what_no_database_stores_is_refused_with_its_place(
    server: LiveServer, text: str, attr: str
) -> None:
    async with Insider(server, "alice").socket() as socket:
        await socket.receive()
        error = await refusal(socket, text)
    assert error["data"]["code"] == "validation_error"
    assert [(e["attr"], e["code"]) for e in error["data"]["errors"]] == [(attr, "invalid_characters")]


@pytest.mark.parametrize(("data", "code", "broken"), WRONG_DATA.values(), ids=WRONG_DATA)
async def test_wrong_data_is_refused_with_the_key_and_the_rule(
    server: LiveServer, data: dict[str, Any], code: str, broken: tuple[str, str]
) -> None:
    async with Insider(server, "alice").socket() as socket:
        await socket.receive()
        error = await refusal(socket, frame("message", data, id="7"))
    assert error["id"] == "7"
    assert error["data"]["code"] == code
    assert [(e["attr"], e["code"]) for e in error["data"]["errors"]] == [broken]
    assert error["data"]["request"]["type"] == "message"


class TestGood:
    """What looks odd and is a frame all the same."""

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(deep(32), id="32 levels"),
            pytest.param(' \r\n\t{"type":"ping"} ', id="blanks around"),
            pytest.param('{"type":"ping","data":null}', id="no data to echo"),
            pytest.param(frame("ping", {}, id="i" * 64), id="64 characters of id"),
            pytest.param(frame("ping", {}, id=""), id="an empty id"),
            pytest.param(frame("ping", {}, unknown=1), id="an unknown key beside data"),
            pytest.param('{"type":"ping","data":{"n":' + "9" * 64 + "}}", id="64 digits"),
            pytest.param(r'{"type":"p\u0069ng","data":"\ud83d\ude00"}', id="escapes"),
            pytest.param(frame("ping", "a" * 65_000), id="nearly 64 KiB"),
        ],
    )
    async def test_is_answered(self, server: LiveServer, text: str) -> None:
        async with Insider(server, "alice").socket() as socket:
            await socket.receive()
            await socket.raw.send(text)
            pong = await socket.receive()
        sent = json.loads(text)
        assert pong["type"] == "pong"
        assert pong.get("id") == sent.get("id")
        assert pong.get("data") == sent.get("data")


class TestTheWire:
    """Frames that are wrong below JSON; the server's own library refuses some of them, so on each server."""

    async def refused(self, server: LiveServer, payload: str | bytes, **options: Any) -> int:
        async with Insider(server, "alice").socket() as socket:
            await socket.receive()
            await socket.raw.send(payload, **options)
            return await socket.closed()

    async def test_an_empty_binary_frame_closes_with_1003(self, each_server: LiveServer) -> None:
        # Daphne lets no application say 1003; 4400 tells the client the same: mend yourself.
        expected = 1003 if each_server.kind == "uvicorn" else 4400
        assert await self.refused(each_server, b"") == expected

    async def test_over_64_kib_of_few_characters_closes_with_1009(self, each_server: LiveServer) -> None:
        expected = 1009 if each_server.kind == "uvicorn" else 4400
        text = json.dumps({"type": "ping", "data": "\N{GRINNING FACE}" * 17_000}, ensure_ascii=False)
        assert await self.refused(each_server, text) == expected

    async def test_64_kib_in_many_fragments_close_with_1009(self, each_server: LiveServer) -> None:
        expected = 1009 if each_server.kind == "uvicorn" else 4400
        async with Insider(each_server, "alice").socket() as socket:
            await socket.receive()
            await socket.raw.send(["a" * 6_600] * 10)
            assert await socket.closed() == expected

    async def test_exactly_64_kib_is_answered(self, each_server: LiveServer) -> None:
        async with Insider(each_server, "alice").socket() as socket:
            await socket.receive()
            text = frame("ping", "")
            await socket.raw.send(frame("ping", "a" * (65_536 - len(text))))
            assert (await socket.receive())["type"] == "pong"

    async def test_fragments_that_split_a_character_are_one_frame(self, each_server: LiveServer) -> None:
        whole = json.dumps({"type": "ping", "data": "\N{GRINNING FACE}"}, ensure_ascii=False).encode()
        cut = whole.index("\N{GRINNING FACE}".encode()) + 2
        async with Insider(each_server, "alice").socket() as socket:
            await socket.receive()
            await socket.raw.send([whole[:cut], whole[cut:]], text=True)
            assert (await socket.receive())["data"] == "\N{GRINNING FACE}"


class TestTenInAMinute:
    async def test_a_flood_gets_ten_errors_and_no_more(self, server: LiveServer) -> None:
        async with Insider(server, "alice").socket() as socket:
            await socket.receive()
            for _ in range(200):
                await socket.raw.send("{")
            assert await socket.closed() == 4400
            assert [frame["type"] for frame in socket.frames] == ["ready"] + ["error"] * 10

    async def test_frames_that_are_refused_for_what_they_ask_are_not_bad_frames(
        self, server: LiveServer
    ) -> None:
        alice = Insider(server, "alice")
        room = alice.group()
        async with alice.socket() as socket:
            await socket.receive()
            for _ in range(12):
                assert (await socket.ask("message", {"room_id": ROOM, "content": "a"}))["type"] == "error"
                assert (await socket.ask("message", {"room_id": room, "content": " "}))["type"] == "error"
            assert len(await send_messages(socket, room, 1)) == 1


async def test_nothing_else_is_lost_by_a_bad_frame(each_server: LiveServer) -> None:
    alice = Insider(each_server, "alice")
    room = alice.group()
    async with alice.socket() as socket:
        await socket.receive()
        for number in range(6):
            content = {"room_id": room, "content": str(number)}
            await socket.send("message", content, id=str(number))
            await socket.raw.send("{" if number % 2 else '{"type":"message","id":"x","data":{"a":1}}')
        answers = []
        while len(answers) < 12:
            frame = await socket.receive()
            if frame["type"] in ("ack", "error"):
                answers.append((frame["type"], frame.get("id"), frame["data"].get("seq")))
    assert [answer for answer in answers if answer[0] == "ack"] == [
        ("ack", str(number), number + 1) for number in range(6)
    ]
    assert sorted(answer[1:] for answer in answers if answer[0] == "error" and answer[1]) == [("x", None)] * 3
