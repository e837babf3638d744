"""Who does not read what we answer is not read either, so that nobody can fill our memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from pytest_django import Settings

from realtime import hub as hubs
from realtime.consumer import ChatConsumer
from realtime.router import Identity, Router


class Card(msgspec.Struct):
    name: str


def identify(token: str) -> Identity:
    return Identity(uuid4(), uuid4(), 2**40, Card(token))


PINGS = {
    "pings": {"type": "ping", "data": "a" * 1000},
    "requests that are refused": {"type": "no.such.type", "data": {}},
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("frame", PINGS.values(), ids=PINGS)
async def test_a_client_that_only_sends_is_read_until_the_buffer_is_half_full(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, frame: dict[str, Any]
) -> None:
    settings.WS_BUFFER_FRAMES, settings.WS_SLOW_SECONDS = 32, 0.2
    monkeypatch.setattr("realtime.connection._SECONDS_TO_CLOSE", 0.1)
    monkeypatch.setattr("realtime.consumer.BAD_FRAMES", 10_000)
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        await asyncio.sleep(0)
        return (
            {"type": "websocket.receive", "text": json.dumps(frame)}
            if read > 1
            else {"type": "websocket.connect"}
        )

    async def send(message: dict[str, Any]) -> None:
        if message["type"] != "websocket.accept":
            await asyncio.Event().wait()

    router = Router(routes=[], identify=identify, redeem=identify, places_of=lambda user_id: [])
    scope = {
        "type": "websocket",
        "path": "/ws",
        "headers": [(b"authorization", b"Bearer alice")],
        "query_string": b"",
        "subprotocols": [],
    }
    try:
        # Ends by itself, since the client is too slow for too long.
        await asyncio.wait_for(ChatConsumer.as_asgi(router=router)(scope, receive, send), 20)
    finally:
        await hubs.stop()
    assert 10 < read < 32
