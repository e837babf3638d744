"""Someone holds a room's lock and does nothing: a process that was stopped in the middle of a transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction

from eventlog import log
from realtime.tests.stage import Insider, send_messages
from tests.live import LiveServer


@contextmanager
def locked(stream: str) -> Iterator[None]:
    """While inside, a transaction of another connection holds the stream's lock."""
    held, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            log.lock(stream)
            held.set()
            enough.wait(60)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    try:
        yield
    finally:
        enough.set()
        thread.join(10)


if "mysql" in settings.DATABASES["default"]["ENGINE"]:  # SQLite has one lock for all

    async def test_the_senders_of_other_rooms_go_on(server: LiveServer) -> None:
        alice, bob = Insider(server, "alice"), Insider(server, "bob")
        stuck, free = alice.group(bob), alice.group(bob)
        async with alice.socket() as hers, bob.socket() as his:
            with locked(f"room:{stuck}"):
                for number in range(5):
                    await hers.send("message", {"room_id": stuck, "content": str(number)}, id=str(number))
                acks = await send_messages(his, free, 100)
                assert [ack["seq"] for ack in acks] == list(range(1, 101))
                assert not [frame for frame in hers.frames if frame["type"] == "ack"]
                answers = {}
                while len(answers) < 5:
                    frame = await hers.receive()
                    if frame["type"] in ("ack", "error"):
                        answers[frame["id"]] = frame["data"]
            assert {answer["code"] for answer in answers.values()} == {"unavailable"}
            assert all(answer["retryable"] for answer in answers.values())
            acks = await send_messages(hers, stuck, 3)
            assert [ack["seq"] for ack in acks] == [1, 2, 3]

    async def test_who_is_held_up_for_a_moment_is_served_after_it_in_order(server: LiveServer) -> None:
        alice, bob = Insider(server, "alice"), Insider(server, "bob")
        room, other = alice.group(bob), alice.group(bob)
        async with alice.socket() as hers, bob.socket() as his:
            with locked(f"room:{other}"), locked(f"room:{room}"):
                # Now batches no longer wait for locks.
                await his.send("message", {"room_id": other, "content": "x"}, id="x")
                await his.until("error", code="unavailable")
                for number in range(20):
                    await hers.send("message", {"room_id": room, "content": str(number)}, id=str(number))
                await hers.ask("ping")
            acks = [await hers.until("ack") for _ in range(20)]
            assert [ack["id"] for ack in acks] == [str(number) for number in range(20)]
            assert [ack["data"]["seq"] for ack in acks] == list(range(1, 21))
