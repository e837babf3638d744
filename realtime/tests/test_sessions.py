"""The end of a session ends its sockets: at once, and no others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from copy import copy
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import Session, User
from realtime.roster import SESSION_POLL_SECONDS
from realtime.tests.stage import Insider, in_thread
from tests.live import LiveServer, Person, Socket

SECONDS = 2 * 3
"""Within 2 s, says the contract; three times that, since a test machine does other things too."""


async def closed_in_time(*sockets: Socket, seconds: float = SECONDS) -> list[int]:
    async with asyncio.timeout(seconds):
        return list(await asyncio.gather(*(socket.closed() for socket in sockets)))


async def open_(socket: Socket) -> bool:
    return (await socket.ask("ping"))["type"] == "pong"


class TestLogout:
    async def test_closes_the_sockets_of_that_session_and_no_others(self, each_server: LiveServer) -> None:
        phone, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        laptop = phone.other_device()
        async with (
            phone.socket() as one,
            phone.socket() as two,
            laptop.socket() as other,
            bob.socket() as his,
        ):
            for socket in (one, two, other, his):
                await socket.receive()
            phone.call("POST", "/auth/logout").raise_for_status()
            assert await closed_in_time(one, two) == [4441, 4441]
            assert await open_(other)
            assert await open_(his)

    async def test_of_another_session_from_the_list_closes_its_sockets(self, each_server: LiveServer) -> None:
        phone = Insider(each_server, "alice")
        laptop = phone.other_device()
        async with phone.socket() as here, laptop.socket() as there:
            for socket in (here, there):
                await socket.receive()
            sessions: list[dict[str, Any]] = phone.call("GET", "/auth/sessions").json()["results"]
            (other,) = [session["id"] for session in sessions if not session["current"]]
            phone.call("DELETE", f"/auth/sessions/{other}").raise_for_status()
            assert await closed_in_time(there) == [4441]
            assert await open_(here)

    async def test_closes_sockets_that_came_by_ticket_or_auth_frame(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        ticket = alice.call("POST", "/auth/ws-ticket").json()["ticket"]
        async with Socket(f"{server.ws}?ticket={ticket}") as one, Socket(server.ws) as two:
            await one.receive()
            await two.ask("auth", {"token": alice.token})
            alice.call("POST", "/auth/logout").raise_for_status()
            assert await closed_in_time(one, two) == [4441, 4441]

    async def test_is_the_last_thing_that_the_socket_hears(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        room = alice.group()
        async with alice.socket() as socket:
            await socket.receive()
            alice.call("POST", "/auth/logout").raise_for_status()
            assert await closed_in_time(socket) == [4441]
            assert room not in str(socket.frames[1:])


class TestLogoutAll:
    async def test_closes_every_socket_of_the_user(self, each_server: LiveServer) -> None:
        phone, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        laptop = phone.other_device()
        async with phone.socket() as one, laptop.socket() as two, bob.socket() as his:
            for socket in (one, two, his):
                await socket.receive()
            laptop.call("POST", "/auth/logout-all").raise_for_status()
            assert await closed_in_time(one, two) == [4441, 4441]
            assert await open_(his)


class TestPasswordChange:
    async def test_closes_the_sockets_of_all_other_sessions_on_every_process(
        self, running: Callable[[str], LiveServer], transactional_db: None
    ) -> None:
        first, second = running("uvicorn"), running("daphne")
        phone, bob = Person(first, "alice"), Insider(first, "bob")
        body = {"login": phone.username, "password": phone.password}
        laptop = copy(phone)
        laptop.token = phone.call("POST", "/auth/login", json=body).json()["access"]
        async with (
            phone.socket() as here,
            phone.socket(second) as here_too,
            laptop.socket() as there,
            laptop.socket(second) as there_too,
            bob.socket(second) as his,
        ):
            for socket in (here, here_too, there, there_too, his):
                await socket.receive()
            passwords = {"old_password": phone.password, "new_password": "jolly-mossy-anvil"}
            phone.call("POST", "/auth/password/change", json=passwords).raise_for_status()
            # Without Redis the other process finds it at its next look.
            seconds = SECONDS if settings.REDIS_URLS else 2 * SESSION_POLL_SECONDS
            assert await closed_in_time(there, there_too, seconds=seconds) == [4441, 4441]
            for socket in (here, here_too, his):
                assert await open_(socket)
            async with laptop.socket(second) as again:
                assert await again.closed() == 4441


class TestAfterwards:
    async def test_the_old_token_opens_no_socket_and_a_new_session_does(self, server: LiveServer) -> None:
        phone = Insider(server, "alice")
        laptop = phone.other_device()
        phone.call("POST", "/auth/logout").raise_for_status()
        async with phone.socket() as socket:
            assert await socket.closed() == 4441
        async with laptop.socket() as socket:
            assert (await socket.receive())["type"] == "ready"

    async def test_many_sockets_of_a_session_all_close(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        sockets = [alice.socket() for _ in range(12)]
        try:
            for socket in sockets:
                await socket.__aenter__()
                await socket.receive()
            began = time.monotonic()
            alice.call("POST", "/auth/logout").raise_for_status()
            assert await closed_in_time(*sockets) == [4441] * 12
            assert time.monotonic() - began < SECONDS
        finally:
            for socket in sockets:
                await socket.__aexit__(None, None, None)


class TestWithoutARing:
    async def test_sockets_that_connect_while_the_session_ends_end_too(self, each_server: LiveServer) -> None:
        for _ in range(10):
            alice = Insider(each_server, "alice")
            sockets = [alice.socket() for _ in range(8)]

            async def connect(socket: Socket) -> int:
                await socket.__aenter__()
                return await socket.closed()

            connecting = [asyncio.create_task(connect(socket)) for socket in sockets]
            await asyncio.to_thread(alice.call, "POST", "/auth/logout")
            async with asyncio.timeout(SECONDS):
                assert await asyncio.gather(*connecting) == [4441] * 8
            for socket in sockets:
                await socket.__aexit__(None, None, None)

    async def test_an_end_that_only_the_database_knows_closes_them_by_the_next_look(
        self, server: LiveServer
    ) -> None:
        alice, bob = Insider(server, "alice"), Insider(server, "bob")
        async with alice.socket() as hers, bob.socket() as his:
            await hers.receive()
            await his.receive()
            in_thread(Session.objects.filter(user_id=alice.id).update, revoked_at=timezone.now())
            in_thread(User.objects.filter(id=bob.id).update, is_active=False)
            assert await hers.closed() == 4441
            assert await his.closed() == 4403
