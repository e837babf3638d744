"""The outgoing side of one socket: bounded, ordered, and patient only for so long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pytest_django import Settings

from realtime.close_codes import CloseCode
from realtime.connection import Connection
from realtime.protocol import Outgoing


class Reader:
    """The other end. Takes what is sent while `reads` is set; the ASGI server's `send` waits otherwise."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.reads = asyncio.Event()

    async def send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        self.got.append(message)

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.got if message["type"] == "websocket.send"]

    @property
    def close(self) -> dict[str, Any] | None:
        return next((message for message in self.got if message["type"] == "websocket.close"), None)


@pytest.fixture(autouse=True)
def _small_buffer(settings: Settings) -> None:
    settings.WS_BUFFER_FRAMES, settings.WS_BUFFER_BYTES = 16, 10_000


@asynccontextmanager
async def writing(connection: Connection) -> AsyncIterator[asyncio.Task[None]]:
    writer = asyncio.create_task(connection.write())
    try:
        yield writer
    finally:
        connection.stop()
        writer.cancel()


async def turns(count: int = 20) -> None:
    """Let tasks that can go on do so."""
    for _ in range(count):
        await asyncio.sleep(0)


class Wire:
    """A server that takes ready messages while `open`; what goes by `send` instead is kept in the same order."""

    def __init__(self) -> None:
        self.open = True
        self.taken: list[bytes] = []
        self.sends = asyncio.Event()

    def write(self, message: bytes) -> bool:
        if self.open:
            self.taken.append(message)
        return self.open

    async def send(self, message: dict[str, Any]) -> None:
        await self.sends.wait()
        self.taken.append(Outgoing(message["text"]).wire if "text" in message else b"closed")


class TestReadyMessages:
    async def test_a_server_that_takes_them_gets_them_at_once(self) -> None:
        wire = Wire()
        connection = Connection(wire.send, None, wire.write)
        for number in range(100):
            assert connection.offer(Outgoing(str(number)))
        connection.offer_ephemeral(Outgoing("typing"))
        connection.push("ack")
        frames = [*map(str, range(100)), "typing", "ack"]
        assert wire.taken == [Outgoing(frame).wire for frame in frames]

    async def test_none_overtakes_those_that_wait(self) -> None:
        wire = Wire()
        connection = Connection(wire.send, None, wire.write)
        async with writing(connection):
            wire.open = False
            connection.offer(Outgoing("a"))
            connection.offer(Outgoing("b"))
            await turns()
            wire.open = True  # while `send` still has the first one
            connection.offer(Outgoing("c"))
            await turns()
            assert wire.taken == []
            wire.sends.set()
            await turns()
            connection.offer(Outgoing("d"))
        assert wire.taken == [Outgoing(frame).wire for frame in "abcd"]

    async def test_a_peer_that_does_not_keep_up_fills_the_buffer(self) -> None:
        wire = Wire()
        wire.open = False
        connection = Connection(wire.send, None, wire.write)
        assert all(connection.offer(Outgoing("a")) for _ in range(16))
        assert not connection.offer(Outgoing("a"))
        connection.stop()

    async def test_none_goes_out_after_the_close(self) -> None:
        wire = Wire()
        wire.sends.set()
        connection = Connection(wire.send, None, wire.write)
        async with writing(connection):
            connection.offer(Outgoing("a"))
            connection.close(CloseCode.SERVICE_RESTART)
            connection.offer(Outgoing("b"))
            connection.push("c")
            await turns()
        assert wire.taken == [Outgoing("a").wire, b"closed"]


class TestBuffer:
    async def test_frames_go_out_in_the_order_in_which_they_came(self) -> None:
        reader = Reader()
        connection = Connection(reader.send, None)
        async with writing(connection):
            reader.reads.set()
            for number in range(100):
                assert connection.offer(Outgoing(str(number)))
                await asyncio.sleep(0)
            connection.push("last")
            await turns()
        assert reader.texts == [*map(str, range(100)), "last"]

    async def test_a_full_one_refuses_frames_of_streams(self) -> None:
        connection = Connection(Reader().send, None)
        assert all(connection.offer(Outgoing("a")) for _ in range(16))
        assert not connection.offer(Outgoing("a"))
        connection.stop()

    async def test_one_is_full_by_bytes_as_well(self) -> None:
        connection = Connection(Reader().send, None)
        assert connection.offer(Outgoing("a" * 9_990))
        assert connection.offer(Outgoing("a" * 5_000)), "what is not yet full takes one more, of any size"
        assert not connection.offer(Outgoing("a"))
        connection.stop()

    async def test_answers_are_taken_even_when_it_is_full(self) -> None:
        reader = Reader()
        connection = Connection(reader.send, None)
        for _ in range(16):
            connection.offer(Outgoing("a"))
        connection.push("ack")
        async with writing(connection):
            reader.reads.set()
            await turns(60)
        assert reader.texts == ["a"] * 16 + ["ack"]

    async def test_ephemera_are_dropped_when_it_is_half_full(self) -> None:
        reader = Reader()
        connection = Connection(reader.send, None)
        for number in range(7):
            connection.offer(Outgoing(str(number)))
        assert not connection.is_half_full()
        connection.offer_ephemeral(Outgoing("typing"))
        assert connection.is_half_full()
        connection.offer_ephemeral(Outgoing("typing too"))
        async with writing(connection):
            reader.reads.set()
            await turns(60)
            connection.offer_ephemeral(Outgoing("typing again"))
            await turns()
        assert reader.texts == [*map(str, range(7)), "typing", "typing again"]

    async def test_there_is_room_again_once_the_other_end_reads(self) -> None:
        reader = Reader()
        connection = Connection(reader.send, None)
        for _ in range(16):
            connection.offer(Outgoing("a"))
        waiting = asyncio.create_task(connection.has_room())
        async with writing(connection):
            await turns()
            assert not waiting.done()
            reader.reads.set()
            await asyncio.wait_for(waiting, 5)
            assert connection.offer(Outgoing("b"))

    async def test_who_has_room_does_not_wait(self) -> None:
        connection = Connection(Reader().send, None)
        for _ in range(7):
            connection.offer(Outgoing("a"))
        await asyncio.wait_for(connection.has_room(), 5)


class TestSlowReader:
    async def test_half_full_for_too_long_closes_with_4450(self, settings: Settings) -> None:
        settings.WS_SLOW_SECONDS = 0.05
        connection = Connection(Reader().send, None)
        for _ in range(8):
            connection.offer(Outgoing("a"))
        assert connection.close_code is None
        await asyncio.wait_for(connection.has_room(), 5)
        assert connection.close_code is CloseCode.SLOW_CONSUMER

    async def test_one_that_catches_up_in_time_has_all_of_it_again(self) -> None:
        reader = Reader()
        connection = Connection(reader.send, None)
        for _ in range(8):
            connection.offer(Outgoing("a"))
        first = connection._stalled
        assert first is not None
        async with writing(connection):
            reader.reads.set()
            await turns(60)
            assert connection._stalled is None
            assert first.cancelled()
            reader.reads.clear()
            for _ in range(10):
                connection.offer(Outgoing("b"))
            assert connection._stalled is not None

    async def test_replay_that_waits_for_room_is_let_go(self, settings: Settings) -> None:
        settings.WS_SLOW_SECONDS = 0.05
        connection = Connection(Reader().send, None)
        for _ in range(16):
            connection.offer(Outgoing("a"))
        await asyncio.wait_for(connection.has_room(), 5)
        assert connection.close_code is CloseCode.SLOW_CONSUMER

    async def test_one_that_reads_nothing_is_cancelled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("realtime.connection._SECONDS_TO_CLOSE", 0.05)
        forever = asyncio.create_task(asyncio.Event().wait())
        connection = Connection(Reader().send, forever)
        connection.push("a")
        async with writing(connection):
            connection.close(CloseCode.SLOW_CONSUMER)
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(forever, 5)


class TestClose:
    async def test_what_is_queued_goes_out_first_and_nothing_after(self) -> None:
        reader = Reader()
        connection = Connection(reader.send, None)
        async with writing(connection) as writer:
            for number in range(3):
                connection.offer(Outgoing(str(number)))
            connection.push("error")
            connection.close(CloseCode.UNAUTHENTICATED)
            connection.push("too late")
            connection.offer(Outgoing("too late"))
            connection.offer_ephemeral(Outgoing("too late"))
            reader.reads.set()
            await asyncio.wait_for(writer, 5)
        assert reader.texts == ["0", "1", "2", "error"]
        assert reader.got[-1] == {"type": "websocket.close", "code": 4401, "reason": "unauthenticated"}

    async def test_the_first_code_is_the_one_that_is_sent(self) -> None:
        reader = Reader()
        connection = Connection(reader.send, None)
        async with writing(connection) as writer:
            reader.reads.set()
            connection.close(CloseCode.SESSION_ENDED)
            connection.close(CloseCode.SLOW_CONSUMER)
            await asyncio.wait_for(writer, 5)
        assert connection.close_code is CloseCode.SESSION_ENDED
        assert reader.close is not None
        assert reader.close["code"] == 4441

    async def test_a_server_that_refuses_the_code_gets_one_that_says_the_same(self) -> None:
        reader = Reader()
        reader.reads.set()

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "websocket.close" and message["code"] < 3000:
                raise ValueError("invalid close code")
            await reader.send(message)

        connection = Connection(send, None)
        async with writing(connection) as writer:
            connection.close(CloseCode.MESSAGE_TOO_BIG)
            await asyncio.wait_for(writer, 5)
        assert reader.close == {"type": "websocket.close", "code": 4400}
