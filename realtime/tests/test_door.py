"""Whatever goes wrong at the door, the client is told, and may come again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from realtime import hub as hubs
from realtime.tests.consumer_stage import SCOPE, consumer


def broken(*_: object) -> Any:
    raise RuntimeError("a bug")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", ["identify", "places_of"])
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
