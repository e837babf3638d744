"""The channel layer that is configured: in memory, or Redis' with what is sent at once in one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any
from uuid import uuid4

import pytest
import redis.asyncio
from channels.layers import get_channel_layer
from django.conf import settings

AT_ONCE = 100


class Stage:
    """A group and who listens to it."""

    def __init__(self) -> None:
        self.layer: Any = get_channel_layer()
        self.group = f"test.{uuid4()}"

    async def send(self, numbers: Iterable[int]) -> None:
        sent = (self.layer.group_send(self.group, {"type": "test", "number": n}) for n in numbers)
        await asyncio.gather(*sent)

    async def received(self, count: int) -> list[int]:
        async with asyncio.timeout(20):
            return [(await self.layer.receive(self.channel))["number"] for _ in range(count)]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    stage.channel = await stage.layer.new_channel()
    await stage.layer.group_add(stage.group, stage.channel)
    yield stage
    await stage.layer.flush()


async def test_what_is_sent_at_once_comes_once_and_in_order(stage: Stage) -> None:
    await stage.send(range(AT_ONCE))
    await stage.send([AT_ONCE])
    assert await stage.received(AT_ONCE + 1) == list(range(AT_ONCE + 1))


async def test_who_gives_up_takes_nobody_elses_message_along(stage: Stage) -> None:
    gives_up = asyncio.create_task(stage.send([1]))
    others = asyncio.create_task(stage.send([2, 3]))
    await asyncio.sleep(0)
    gives_up.cancel()
    await others
    assert [number for number in await stage.received(2) if number != 1][:1] == [2]


if settings.REDIS_URLS:

    async def test_what_is_sent_at_once_takes_few_round_trips(stage: Stage) -> None:
        async with redis.asyncio.from_url(settings.REDIS_URLS[0]) as client:
            before = (await client.info("stats"))["total_reads_processed"]
            await stage.send(range(AT_ONCE))
            reads = (await client.info("stats"))["total_reads_processed"] - before
        assert await stage.received(AT_ONCE) == list(range(AT_ONCE))
        assert reads < AT_ONCE / 2
