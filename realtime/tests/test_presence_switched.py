"""Who sees that somebody is here by the setting `last_seen`, and what is told when it becomes another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from django.conf import settings

from accounts.models import User
from realtime.tests.presence_stage import befriend, enter, told, told_nothing
from realtime.tests.stage import Insider, everything, in_thread
from tests.live import LiveServer, Socket

pytestmark = pytest.mark.django_db(transaction=True)


def show_to(person: Insider, audience: str) -> None:
    answer = person.call("PATCH", "/users/me", json={"settings": {"last_seen": audience}})
    assert answer.status_code == 200


def heard_of(person: Insider, socket: Socket) -> int:
    """How often the socket has heard of that person's presence."""
    return sum(frame["data"]["user_id"] == person.id for frame in socket.presences)


class TestLastSeen:
    """Alice, who lets everyone, her friends or nobody see whether she is here; bob is a friend, dora a room-mate."""

    async def test_a_switch_tells_who_sees_her_no_more_or_only_now_and_nobody_else(
        self, brisk_server: LiveServer
    ) -> None:
        alice, bob, dora = (Insider(brisk_server, name) for name in ("alice", "bob", "dora"))
        befriend(alice, bob)
        alice.group(bob, dora)
        async with AsyncExitStack() as stack:
            friend, mate, other = [await enter(stack, person) for person in (bob, dora, dora)]
            hers = await enter(stack, alice)
            for socket in (friend, mate, other):
                came = await told(socket, alice, "online")
            gone = {"user_id": alice.id, "status": "offline", "last_seen_at": None}
            for audience, sockets, is_shown in (
                ("friends", (mate, other), False),
                ("nobody", (friend,), False),
                ("friends", (friend,), True),
                ("everyone", (mate, other), True),
                ("nobody", (friend, mate, other), False),
                ("everyone", (friend, mate, other), True),
            ):
                before = [heard_of(alice, socket) for socket in (friend, mate, other, hers)]
                show_to(alice, audience)
                await hers.until("account.updated")
                for socket in sockets:
                    assert await told(socket, alice, "online" if is_shown else "offline") == (
                        came if is_shown else gone
                    )
                await asyncio.gather(*(told_nothing(socket, alice, 0.5) for socket in (friend, mate, hers)))
                heard = [heard_of(alice, socket) for socket in (friend, mate, other, hers)]
                assert [b - a for a, b in zip(before, heard, strict=True)] == [
                    socket in sockets for socket in (friend, mate, other, hers)
                ]

    @pytest.mark.parametrize(("audience", "names"), [("friends", {"bob"}), ("nobody", set())])
    async def test_later_changes_are_for_whom_she_lets_see_them(
        self, brisk_server: LiveServer, audience: str, names: set[str]
    ) -> None:
        alice, bob, dora = (Insider(brisk_server, name) for name in ("alice", "bob", "dora"))
        befriend(alice, bob)
        alice.group(bob, dora)
        in_thread(User.objects.filter(id=alice.id).update, last_seen=audience)
        async with AsyncExitStack() as stack:
            sockets = {"bob": await enter(stack, bob), "dora": await enter(stack, dora)}
            async with alice.socket() as hers:
                await everything(hers)
                for name in names:
                    await told(sockets[name], alice, "online")
                await hers.send("presence", {"status": "away"})
                for name in names:
                    await told(sockets[name], alice, "away")
            for name in names:
                await told(sockets[name], alice, "offline")
            await asyncio.gather(*(told_nothing(socket, alice) for socket in sockets.values()))
            assert {name for name, socket in sockets.items() if heard_of(alice, socket)} == names

    async def test_who_is_blocked_hears_of_no_switch(self, brisk_server: LiveServer) -> None:
        alice, bob, dora = (Insider(brisk_server, name) for name in ("alice", "bob", "dora"))
        alice.group(bob, dora)
        assert alice.call("PUT", f"/blocks/{bob.id}").status_code == 204
        async with AsyncExitStack() as stack:
            blocked, mate = await enter(stack, bob), await enter(stack, dora)
            await enter(stack, alice)
            await told(mate, alice, "online")
            for audience, status in (("nobody", "offline"), ("everyone", "online")):
                show_to(alice, audience)
                await told(mate, alice, status)
            await told_nothing(blocked, alice, 0.5)

    async def test_a_switch_without_a_socket_shows_nobody_more_than_that(
        self, brisk_server: LiveServer
    ) -> None:
        alice, bob = Insider(brisk_server, "alice"), Insider(brisk_server, "bob")
        alice.group(bob)
        in_thread(User.objects.filter(id=alice.id).update, last_seen="nobody")
        async with AsyncExitStack() as stack:
            watcher = await enter(stack, bob)
            show_to(alice, "everyone")
            await told_nothing(watcher, alice, 0.5)
            # Who has just left is still here for a moment, and then hidden from whom it no longer concerns.
            async with alice.socket() as hers:
                await everything(hers)
                await told(watcher, alice, "online")
            show_to(alice, "nobody")
            assert (await told(watcher, alice, "offline"))["last_seen_at"] is None
            await told_nothing(watcher, alice)

    async def test_it_reaches_another_process_if_there_can_be_one(
        self, running: Callable[[str], LiveServer]
    ) -> None:
        kinds = ("uvicorn", "daphne") if settings.REDIS_URLS else ("uvicorn", "uvicorn")
        first, second = map(running, kinds)
        alice, bob = Insider(first, "alice"), Insider(second, "bob")
        alice.group(bob)
        async with AsyncExitStack() as stack:
            watcher = await enter(stack, bob)
            await enter(stack, alice)
            await told(watcher, alice, "online")
            for audience, status in (("nobody", "offline"), ("everyone", "online")):
                show_to(alice, audience)
                await told(watcher, alice, status)
