"""`ping`: the answer is `pong` with the same data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from realtime.tests.stage import Insider
from tests.live import LiveServer


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"sent_at": 1234567890123, "nested": [1, 2.5, None, True, "\N{GRINNING FACE}"]},
        "text",
        0,
        [],
        False,
    ],
    ids=json.dumps,
)
async def test_the_pong_has_the_data_and_the_id_of_the_ping(server: LiveServer, data: Any) -> None:
    async with Insider(server, "alice").socket() as socket:
        await socket.receive()
        await socket.raw.send(json.dumps({"type": "ping", "id": "7", "data": data}))
        assert await socket.receive() == {"type": "pong", "id": "7", "data": data}


async def test_a_ping_without_id_and_data_gets_a_bare_pong(each_server: LiveServer) -> None:
    async with Insider(each_server, "alice").socket() as socket:
        await socket.receive()
        await socket.raw.send('{"type":"ping"}')
        pong = await socket.receive()
    assert pong["type"] == "pong"
    assert pong.get("data") is None
    assert "id" not in pong


async def test_pongs_come_in_the_order_of_the_pings(each_server: LiveServer) -> None:
    async with Insider(each_server, "alice").socket() as socket:
        await socket.receive()
        for number in range(100):
            await socket.send("ping", {"n": number}, id=str(number))
        pongs = [await socket.receive() for _ in range(100)]
    assert [(pong["id"], pong["data"]["n"]) for pong in pongs] == [(str(n), n) for n in range(100)]


async def test_only_the_one_who_asked_gets_the_pong(server: LiveServer) -> None:
    alice = Insider(server, "alice")
    async with alice.socket() as phone, alice.socket() as laptop:
        await phone.ask("ping", {"from": "phone"})
        pong = await laptop.ask("ping", {"from": "laptop"})
        assert pong["data"] == {"from": "laptop"}
        assert [frame["type"] for frame in laptop.frames] == ["ready", "pong"]


async def test_protocol_pings_are_answered_too(each_server: LiveServer) -> None:
    async with Insider(each_server, "alice").socket() as socket:
        await socket.receive()
        await (await socket.raw.ping(b"still there?"))
