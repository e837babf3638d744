"""Who does not read what we answer is not read either, so that nobody can fill our memory."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from pytest_django import Settings

from realtime import hub as hubs
from realtime.tests.consumer_stage import SCOPE, consumer

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
        if read == 15:  # `ready` waits, too
            half_full.set()
        return (
            {"type": "websocket.receive", "text": json.dumps(frame)}
            if read
            else {"type": "websocket.connect"}
        )

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await asyncio.Event().wait()

    connection = asyncio.create_task(consumer()(SCOPE, receive, send))
    await asyncio.wait_for(half_full.wait(), 20)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert read < 32
    connection.cancel()
    with suppress(asyncio.CancelledError):
        await connection
    await hubs.stop()
