"""MariaDB or Redis hangs, dies, comes back empty: clients are told in time, and it goes on by itself.

Two server processes with a MariaDB and a Redis that belong to these tests alone.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from chaos import switches
from chaos.stage import Stage
from tests.live import Person, Socket
from tests.with_servers import Redis, Server

ANSWER = 5
"""Seconds within which every request is answered, whatever is away; and within which all works again."""

SLACK = 4
"""A test machine does other things, too."""

HEAD_POLL = 1


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Every interval of production that idling could run into, made short: see `TestIdling`."""
    environment = {
        "HEAD_POLL_SECONDS": str(HEAD_POLL),
        "WS_HEARTBEAT_SECONDS": "2",
        "PRESENCE_GRACE_SECONDS": "0",
        "MESSAGES_PER_SECOND": "1000",
        "MESSAGE_BURST": "1000",
    }
    with Stage("cluster", **environment) as stage:
        yield stage


@pytest.fixture
def alice(stage: Stage) -> Person:
    return Person(stage.webs[0].server, "alice")


@pytest.fixture
def bob(stage: Stage) -> Person:
    """On the other process."""
    return Person(stage.webs[1].server, "bob")


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """The process is there, takes connections, and says nothing."""
    assert server.process
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


@contextmanager
def killed(server: Server) -> Iterator[None]:
    server.kill()
    try:
        yield
    finally:
        server.start()


Outage = Callable[[Server], Any]


async def in_time(work: Any, seconds: float = ANSWER) -> Any:
    """What `work` gives, if it does so in time."""
    async with asyncio.timeout(seconds + SLACK):
        return await work


async def say(talker: Socket, room: str, id_: str) -> dict[str, Any]:
    """Send a message; its `ack` or `error`."""
    return await talker.ask("message", {"room_id": room, "content": id_, "client_message_id": id_}, id=id_)


async def said(talker: Socket, room: str, id_: str) -> dict[str, Any]:
    """Send a message, again and again, until it is acknowledged; its `ack`."""
    while (answer := await say(talker, room, id_))["type"] != "ack":  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return answer


async def login(person: Person) -> httpx.Response:
    body = {"login": person.username, "password": person.password}
    url = f"{person.server.http}/api/v1/auth/login"
    return await asyncio.to_thread(httpx.post, url, json=body, timeout=30)


async def rooms(person: Person) -> httpx.Response:
    return await asyncio.to_thread(person.call, "GET", "/rooms")


async def answered(call: Callable[[Person], Awaitable[httpx.Response]], person: Person) -> None:
    """Ask until the answer is a good one. For a second after a failed connection none is tried."""
    while (response := await call(person)).status_code != 200:
        assert response.json()["code"] == "unavailable"
        await asyncio.sleep(0.1)


async def contents(listener: Socket, count: int) -> list[str]:
    """Of the messages that have come, once there are so many."""
    while len(found := [f["data"]["content"] for f in listener.frames if f["type"] == "message"]) < count:
        await listener.receive()
    return found


class TestDatabase:
    @pytest.mark.parametrize("away", [frozen, killed])
    async def test_everyone_is_told_in_time_and_it_goes_on_by_itself(
        self, stage: Stage, alice: Person, bob: Person, away: Outage
    ) -> None:
        assert stage.mariadb
        room = alice.group(bob)
        processes = [web.pid for web in stage.webs]
        async with alice.socket() as hers, bob.socket() as his:
            await his.until("ready")
            assert (await say(hers, room, "before"))["type"] == "ack"
            assert await contents(his, 1) == ["before"]
            with away(stage.mariadb):
                listed, logged_in, sent = await asyncio.gather(
                    *(in_time(work) for work in (rooms(alice), login(bob), say(hers, room, "during")))
                )
                again = await in_time(say(hers, room, "during too"))
            for answer in (listed, logged_in):
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                assert answer.json()["retryable"] is True
            for refused in (sent, again):
                assert refused["type"] == "error"
                assert (refused["data"]["code"], refused["data"]["retryable"]) == ("unavailable", True)
            await in_time(said(hers, room, "during"))
            await in_time(said(hers, room, "after"))
            await in_time(answered(rooms, alice))
            await in_time(answered(login, bob))
            received = await in_time(contents(his, 3))
            history = alice.call("GET", f"/rooms/{room}/messages?after=0").json()["results"]
        assert [message["content"] for message in history] == received
        # What got an error may have been saved before MariaDB froze, but nobody was told so.
        acked = [f["data"]["client_message_id"] for f in hers.frames if f["type"] == "ack"]
        assert acked == ["before", "during", "after"]
        assert [web.pid for web in stage.webs] == processes
        assert all(web.is_up for web in stage.webs)

    async def test_more_requests_than_threads_are_told_in_time_too(self, stage: Stage, alice: Person) -> None:
        """They must not queue for one timeout after another."""
        assert stage.mariadb
        headers = {"Authorization": f"Bearer {alice.token}"}
        url = f"{alice.server.http}/api/v1/rooms"
        async with httpx.AsyncClient(headers=headers, timeout=60, limits=httpx.Limits()) as http:
            with frozen(stage.mariadb):
                answers = await in_time(asyncio.gather(*(http.get(url) for _ in range(100))), 2 * ANSWER)
        assert [answer.status_code for answer in answers] == [503] * 100
        await in_time(answered(rooms, alice))


class TestStoppedProcess:
    async def test_its_locks_are_taken_from_it(self, stage: Stage, alice: Person, bob: Person) -> None:
        """It stops in the middle of a transaction, for as long as it likes."""
        room = alice.group(bob)
        web = stage.webs[0]
        switch = switches.of_one(switches.STOP_BEFORE_COMMIT, web.number)
        async with alice.socket() as hers, bob.socket() as his:
            stage.turn_on(switch, "0")
            send = asyncio.create_task(say(hers, room, "hers"))
            while not web.is_stopped:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            stage.turn_off(switch)
            assert (await in_time(said(his, room, "his"), 2 * ANSWER))["data"]["seq"] == 1
            assert web.is_stopped
            assert web.server.process
            web.server.process.send_signal(signal.SIGCONT)
            assert (await in_time(send))["data"]["code"] == "unavailable"
            assert (await in_time(said(hers, room, "hers")))["data"]["seq"] == 2


class TestRedis:
    async def test_frozen_sends_are_acked_and_reach_the_other_process(
        self, stage: Stage, alice: Person, bob: Person
    ) -> None:
        assert stage.redis
        room = alice.group(bob)
        async with alice.socket() as hers, bob.socket() as his:
            await hers.until("ready")
            await his.until("ready")
            sent = ["m0", "m1", "m2"]
            with frozen(stage.redis):
                for count, id_ in enumerate(sent, start=1):
                    assert (await in_time(say(hers, room, id_)))["type"] == "ack"
                    assert await in_time(contents(his, count), HEAD_POLL + ANSWER) == sent[:count]
                ticket = await in_time(asyncio.to_thread(alice.call, "POST", "/auth/ws-ticket"))
                assert (ticket.status_code, ticket.json()["code"]) == (503, "unavailable")
            assert (await in_time(say(his, room, "thawed")))["type"] == "ack"
            assert await in_time(contents(hers, 4)) == [*sent, "thawed"]

    async def test_back_and_empty_idle_sockets_on_both_processes_receive(
        self, stage: Stage, alice: Person, bob: Person
    ) -> None:
        assert stage.redis
        room = alice.group(bob)
        talker = Person(stage.webs[0].server, "talker")
        alice.call("POST", f"/rooms/{room}/members", json={"user_ids": [talker.id]}).raise_for_status()
        async with alice.socket() as hers, bob.socket() as his, talker.socket() as third:
            for one in (hers, his, third):
                await one.until("ready")
            stage.redis.restart()
            await asyncio.sleep(2)
            sent = [f"m{number}" for number in range(20)]
            for id_ in sent:
                assert (await in_time(say(third, room, id_)))["type"] == "ack"
            for idle in (hers, his):
                assert await in_time(contents(idle, 20), HEAD_POLL + ANSWER) == sent


def command(redis: Redis, line: str) -> None:
    with socket.create_connection(("127.0.0.1", redis.port), timeout=5) as connection:
        connection.sendall(f"{line}\r\n".encode())
        assert connection.recv(64)[:1] in b"+:", line


class TestIdling:
    """Twenty seconds stand for ten minutes: what could end something idle comes ten times as often, or more.

    Heartbeats come every 2 s and presence runs out after 4.5 s (20 s and 45 s in production), the heads are
    looked at every second (2 s), and Redis drops clients that say nothing for 2 s (never by default; managed
    ones do after 300 s or more). Only the check of idle Redis connections keeps its 15 s, and memberships of
    the pub/sub layer have no expiry that could be made short. Redis restarts every 5 s; in ten minutes, every 150 s.
    """

    async def test_a_socket_that_idles_behind_restarts_gets_everything_in_order(
        self, stage: Stage, alice: Person, bob: Person
    ) -> None:
        assert stage.redis
        room = alice.group(bob)
        began = time.monotonic()
        async with alice.socket() as hers, bob.socket() as his:
            await hers.until("ready")
            await his.until("ready")
            for _ in range(3):
                stage.redis.restart()
                command(stage.redis, "CONFIG SET timeout 2")
                await asyncio.sleep(5)
            command(stage.redis, "CLIENT KILL TYPE pubsub")
            await asyncio.sleep(max(5, began + 21 - time.monotonic()))
            sent = [f"m{number}" for number in range(100)]
            for number, id_ in enumerate(sent):
                talker = (hers, his)[number % 2]
                assert (await in_time(say(talker, room, id_)))["type"] == "ack"
            for idle in (hers, his):
                assert await in_time(contents(idle, 100), HEAD_POLL + ANSWER) == sent
