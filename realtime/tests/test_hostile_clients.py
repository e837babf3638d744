"""Clients that take and don't give: they cost the server little, end soon, and nobody else notices them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from realtime.tests.stage import Insider, everything, positions, send_messages, until_position
from realtime.tests.wire import (
    CONTINUATION,
    PING,
    Wire,
    cpu_seconds,
    descriptors,
    frame,
    memory_mib,
    request_head,
    until_connections,
)
from tests.live import LiveServer

HEARTBEAT = 2
"""WS_HEARTBEAT_SECONDS of `brisk`; who answers nothing is dropped after twice that."""

LARGE = "\N{GRINNING FACE}" * 3900
"""A message of 16 KB."""

MESSAGES = 500

FLOOD_SECONDS = 3

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def patient(django_db_setup: None) -> Iterator[LiveServer]:
    """A server that lets go of slow readers, long before a heartbeat could."""
    server = LiveServer(WS_SLOW_SECONDS="1", WS_CONNECTIONS_PER_USER="1000").start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def flooded(django_db_setup: None) -> Iterator[LiveServer]:
    """A server with the frame limits of production."""
    server = LiveServer(WS_FRAMES_PER_SECOND="100", WS_FRAME_BURST="200").start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def brisk(django_db_setup: None) -> Iterator[LiveServer]:
    """A server with a fast heartbeat, and all the patience with slow readers."""
    server = LiveServer(
        WS_HEARTBEAT_SECONDS=str(HEARTBEAT), WS_SLOW_SECONDS="600", PRESENCE_GRACE_SECONDS="0"
    ).start()
    yield server
    server.close()


async def at_work(server: LiveServer) -> float:
    """MiB of a server that has done once what the tests do, with nobody who harms it."""
    alice = Insider(server, "alice")
    room = alice.group()
    async with alice.socket() as socket:
        await send_messages(socket, room, MESSAGES, lambda _: LARGE)
    return memory_mib(server)


class TestSlowReaders:
    async def test_are_let_go_and_fill_no_memory(self, patient: LiveServer) -> None:
        """Unbounded, their buffers would take 30 * 500 * 16 KB = 240 MB."""
        alice, bob, mallory = (Insider(patient, name) for name in ("alice", "bob", "mallory"))
        before = await at_work(patient)
        room = alice.group(bob, mallory)
        stream = f"room:{room}"
        with ExitStack() as stack:
            wires = [stack.enter_context(Wire(patient, window=4096).shake_hands(mallory)) for _ in range(30)]
            trickling = [asyncio.create_task(trickle(wire)) for wire in wires[:15]]
            async with alice.socket() as hers, bob.socket() as his:
                await everything(his)
                reading = asyncio.create_task(until_position(his, stream, MESSAGES))
                await send_messages(hers, room, MESSAGES, lambda number: f"{number} {LARGE}")
                await reading
                assert positions(his, stream) == list(range(1, MESSAGES + 1))
                assert memory_mib(patient) - before < 150
            await until_connections(patient, 0)
            for task in trickling:
                task.cancel()
            # Who did not read for long enough did not get the close frame either.
            assert {wire.close_code() for wire in wires} <= {4450, None}

    async def test_who_only_pings_fills_no_memory(self, patient: LiveServer) -> None:
        """Unbounded, the pongs would take 60 MB."""
        alice, mallory = Insider(patient, "alice"), Insider(patient, "mallory")
        before = await at_work(patient)
        pings = frame(b"a" * 125, opcode=PING) * 1000
        with Wire(patient, window=4096).shake_hands(mallory) as wire:
            for _ in range(500):
                await asyncio.to_thread(wire.send, pings)
            async with alice.socket() as hers:
                await everything(hers)
            assert memory_mib(patient) - before < 30
        await until_connections(patient, 0)


async def trickle(wire: Wire) -> None:
    """Read four bytes a second."""
    while True:
        await asyncio.sleep(0.25)
        wire.read(1)


class TestDeafFlood:
    async def test_who_hears_no_close_is_not_listened_to_either(self, flooded: LiveServer) -> None:
        """Thrown out with 4429, it sends on as fast as the network takes it."""
        mallory = Insider(flooded, "mallory")
        many = frame(b'{"type":"ping","data":{}}') * 10_000
        with Wire(flooded).shake_hands(mallory) as deaf:
            deaf.socket.settimeout(FLOOD_SECONDS)
            before = cpu_seconds(flooded)

            def flood() -> None:
                with suppress(OSError):  # nobody takes it any more
                    while cpu_seconds(flooded) < before + FLOOD_SECONDS:
                        deaf.send(many)

            await asyncio.to_thread(flood)
            # To read all this for so long would have been the work of all that time.
            assert cpu_seconds(flooded) - before < FLOOD_SECONDS / 2


class TestDroppedSockets:
    async def test_a_thousand_leave_nothing_behind(self, patient: LiveServer) -> None:
        alice = Insider(patient, "alice")
        memory, open_before = await at_work(patient), descriptors(patient)
        for _ in range(10):
            half = [Wire(patient) for _ in range(50)]
            for wire in half:
                wire.send(request_head(patient, alice)[:60])
            unknown = [Wire(patient).shake_hands() for _ in range(25)]
            known = [Wire(patient).shake_hands(alice) for _ in range(25)]
            for wire in known:
                wire.read(1)
            for wire in (*half, *unknown, *known):
                wire.reset()
        await until_connections(patient, 0)
        # Threads that had nothing to do before may each have opened the database now.
        assert descriptors(patient) <= open_before * 1.1 + 12
        assert memory_mib(patient) - memory < 30
        async with alice.socket() as socket:
            await everything(socket)


class TestVanishedClients:
    async def test_one_is_dropped_by_the_heartbeat_and_shown_offline(self, brisk: LiveServer) -> None:
        alice, bob = Insider(brisk, "alice"), Insider(brisk, "bob")
        alice.group(bob)
        async with bob.socket() as his:
            await everything(his)
            with Wire(brisk).shake_hands(alice):
                assert (await his.next_presence())["status"] == "online"
                assert (await his.next_presence())["status"] == "offline"
                await until_connections(brisk, 1)

    async def test_one_is_dropped_together_with_what_it_never_read(self, brisk: LiveServer) -> None:
        """More than the kernel takes in, less than what makes it a slow reader."""
        alice, mallory = Insider(brisk, "alice"), Insider(brisk, "mallory")
        room = alice.group(mallory)
        with Wire(brisk, window=4096).shake_hands(mallory):
            async with alice.socket() as hers:
                await send_messages(hers, room, 300, lambda _: LARGE)
            await until_connections(brisk, 0)


class TestUnfinishedFrames:
    async def test_harm_nobody_and_end_by_the_heartbeat(self, brisk: LiveServer) -> None:
        alice, bob, mallory = (Insider(brisk, name) for name in ("alice", "bob", "mallory"))
        room = alice.group(bob, mallory)
        stream = f"room:{room}"
        with Wire(brisk).shake_hands(mallory) as half, Wire(brisk).shake_hands(mallory) as endless:
            half.send(frame(json.dumps("a" * 60_000).encode())[:30_000])
            endless.send(frame(b'{"type":', fin=False) + frame(b" ", opcode=CONTINUATION, fin=False))
            async with alice.socket() as hers, bob.socket() as his:
                await everything(his)
                await send_messages(hers, room, 50)
                await until_position(his, stream, 50)
                assert positions(his, stream) == list(range(1, 51))
                await until_connections(brisk, 2)
            assert (half.close_code(), endless.close_code()) == (4408, 4408)

    async def test_of_empty_fragments_nobody_can_send_many(self, brisk: LiveServer) -> None:
        mallory = Insider(brisk, "mallory")
        with Wire(brisk).shake_hands(mallory) as wire:
            wire.send(frame(b"a", fin=False))
            wire.send(frame(b"", opcode=CONTINUATION, fin=False) * 2000)
            assert wire.close_code() == 1009
