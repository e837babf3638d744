"""Who does not read what we answer is not read either, so that nobody can fill our memory."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from pytest_django import Settings

from realtime import hub as hubs
from realtime.consumer import ChatConsumer
from realtime.router import Audience, Identity, Place, Router


class Card(msgspec.Struct):
    name: str


def identify(token: str) -> Identity:
    return Identity(uuid4(), uuid4(), 2**40, Card(token))


def places_of(user_id: UUID) -> list[Place]:
    return []


FLOODS = {
    "pings": {"type": "ping", "data": "a" * 1000},
    "requests that are refused": {"type": "resume", "data": {}},
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("frame", FLOODS.values(), ids=FLOODS)
async def test_a_client_that_only_sends_is_read_until_the_buffer_is_half_full(
    settings: Settings, frame: dict[str, Any]
) -> None:
    settings.WS_BUFFER_FRAMES = 32
    read = -1
    half_full = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal read
        await asyncio.sleep(0)
        read += 1
        if read == 16:
            half_full.set()
        return (
            {"type": "websocket.receive", "text": json.dumps(frame)}
            if read
            else {"type": "websocket.connect"}
        )

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await asyncio.Event().wait()

    router = Router(
        routes=[],
        identify=identify,
        redeem=identify,
        places_of=places_of,
        ended=lambda _: {},
        audience_of=lambda _: Audience([], []),
        seen=lambda *_: None,
    )
    scope = {
        "type": "websocket",
        "path": "/ws",
        "headers": [(b"authorization", b"Bearer alice")],
        "query_string": b"",
        "subprotocols": [],
    }
    consumer = asyncio.create_task(ChatConsumer.as_asgi(router=router)(scope, receive, send))
    await asyncio.wait_for(half_full.wait(), 20)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert read < 32
    consumer.cancel()
    with suppress(asyncio.CancelledError):
        await consumer
    await hubs.stop()
