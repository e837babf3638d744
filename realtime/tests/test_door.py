"""Whatever goes wrong at the door, the client is told, and may come again."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from pytest_django import Settings

from realtime import hub as hubs
from realtime.router import Arrival, Claims
from realtime.tests.consumer_stage import SCOPE, arrive, consumer

AUTH = '{"type": "auth", "data": {"token": "alice"}}'


def broken(*_: object) -> Any:
    raise RuntimeError("a bug")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", ["read_token", "arrive"])
async def test_a_bug_of_ours_is_an_internal_error_and_a_close_with_1013(part: str) -> None:
    said: list[dict[str, Any]] = []
    closed = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not said:
            return {"type": "websocket.connect"}
        await closed.wait()
        return {"type": "websocket.disconnect", "code": 1013}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)
        if message["type"] == "websocket.close":
            closed.set()

    await asyncio.wait_for(consumer(**{part: broken})(SCOPE, receive, send), 20)
    await hubs.stop()
    accepted, error, close = said
    assert accepted["type"] == "websocket.accept"
    data = json.loads(error["text"])["data"]
    assert (data["code"], data["retryable"]) == ("internal_error", True)
    assert close["code"] == 1013


@pytest.mark.django_db(transaction=True)
async def test_who_says_in_time_who_they_are_may_wait_longer_than_that_for_the_answer(
    settings: Settings,
) -> None:
    settings.WS_AUTH_SECONDS = 0.1
    said: list[dict[str, Any]] = []
    ready = asyncio.Event()
    incoming = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": AUTH}]

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop(0)
        await ready.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)
        if message["type"] != "websocket.accept":
            ready.set()

    def slow(claims: Sequence[Claims]) -> list[Arrival]:
        time.sleep(0.5)
        return arrive(claims)

    await asyncio.wait_for(consumer(arrive=slow)({**SCOPE, "headers": []}, receive, send), 20)
    await hubs.stop()
    assert [json.loads(message["text"])["type"] for message in said[1:]] == ["ready"]
