"""Resuming after a very long absence: all of it, in order, in bounded memory, without holding up others."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from django.utils import timezone

from core.timestamps import rfc3339
from eventlog.log import room_stream
from eventlog.models import Event, Stream
from realtime.tests.stage import Insider, in_thread
from tests.live import LiveServer

MEGABYTE = 1024 * 1024


def write_events(room: str, count: int) -> None:
    """A stream's past, as if it had been said: bulk rows in place of as many transactions."""
    stream = Stream.objects.get(name=room_stream(UUID(room)))
    now = timezone.now()
    for start in range(1, count + 1, 5000):
        Event.objects.bulk_create(
            Event(
                stream=stream,
                pos=pos,
                type="message",
                frame=json.dumps(
                    {
                        "type": "message",
                        "stream": stream.name,
                        "pos": pos,
                        "ts": rfc3339(now),
                        "data": {"n": pos},
                    }
                ),
                created_at=now,
            )
            for pos in range(start, min(start + 5000, count + 1))
        )
    Stream.objects.filter(id=stream.id).update(head=count)


def resident(server: LiveServer) -> int:
    """Bytes of memory that the server process holds."""
    assert server.process
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


@pytest.mark.parametrize("missed", [10_000, 100_000])
async def test_everything_missed_comes_in_order_and_memory_stays_flat(
    server: LiveServer, missed: int
) -> None:
    alice, bob = Insider(server, "alice"), Insider(server, "bob")
    room = alice.direct_room_with(bob)
    in_thread(write_events, room, missed)
    stream = f"room:{room}"
    async with alice.socket() as hers, bob.socket() as his:
        await hers.until("ready")
        await his.until("ready")
        before = resident(server)
        await hers.send("resume", {"cursors": {stream: 0}})
        highest, expected = before, 1
        while expected <= missed:
            frame = json.loads(await hers.raw.recv())
            if "pos" not in frame:
                continue  # Bob's coming, which is not kept
            assert frame["pos"] == expected
            expected += 1
            if expected % 5000 == 0:
                highest = max(highest, resident(server))
                # Bob, in the same room, is not held up.
                assert (await his.ask("ping"))["type"] == "pong"
        resumed = await hers.until("resumed")
    assert resumed["data"]["streams"] == {stream: {"from": 1, "to": missed}}
    assert highest - before < 16 * MEGABYTE
