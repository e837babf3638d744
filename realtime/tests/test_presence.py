"""Who is told that somebody is here, away or gone, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from realtime.tests.presence_stage import SWEEP, TIMING, TTL, befriend, enter, told, told_nothing
from realtime.tests.stage import Insider, eventually_in_database, everything
from tests.live import LiveServer, Socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mortal_server(transactional_db: None) -> Iterator[LiveServer]:
    """A server that a test may kill."""
    server = LiveServer(**TIMING).start()
    yield server
    server.close()


class TestWhoIsTold:
    async def test_a_friend_and_a_room_mate_are_and_a_stranger_is_not(self, brisk_server: LiveServer) -> None:
        alice, bob, charlie, dora = (
            Insider(brisk_server, name) for name in ("alice", "bob", "charlie", "dora")
        )
        befriend(alice, bob)
        alice.group(dora)
        async with AsyncExitStack() as stack:
            friend, stranger, mate = [await enter(stack, person) for person in (bob, charlie, dora)]
            async with alice.socket() as hers:
                await everything(hers)
                for watcher in (friend, mate):
                    seen = await told(watcher, alice, "online")
                    assert seen["last_seen_at"]
                    assert watcher.presences[-1].keys() == {"type", "ts", "data"}
            for watcher in (friend, mate):
                left = await told(watcher, alice, "offline")
                assert left["last_seen_at"] >= seen["last_seen_at"]
            await told_nothing(stranger, alice, 0.5)

    async def test_each_connection_gets_one_frame_whatever_the_two_share(
        self, brisk_server: LiveServer
    ) -> None:
        alice, bob = Insider(brisk_server, "alice"), Insider(brisk_server, "bob")
        befriend(alice, bob)
        for _ in range(2):
            alice.group(bob)
        async with AsyncExitStack() as stack:
            phone, laptop = await enter(stack, bob), await enter(stack, bob)
            await enter(stack, alice)
            for device in (phone, laptop):
                await told(device, alice, "online")
            for device in (phone, laptop):
                await told_nothing(device, alice)

    async def test_ones_own_devices_are_not(self, brisk_server: LiveServer) -> None:
        alice, bob = Insider(brisk_server, "alice"), Insider(brisk_server, "bob")
        alice.group(bob)
        async with AsyncExitStack() as stack:
            watcher = await enter(stack, bob)
            phone = await enter(stack, alice)
            await told(watcher, alice, "online")
            await phone.send("presence", {"status": "away"})
            await told(watcher, alice, "away")
            await told_nothing(phone, alice, 0.5)

    async def test_someone_on_another_process_is_if_there_can_be_one(
        self, running: Callable[[str], LiveServer]
    ) -> None:
        kinds = ("uvicorn", "daphne") if settings.REDIS_URLS else ("uvicorn", "uvicorn")
        first, second = map(running, kinds)
        alice, bob = Insider(first, "alice"), Insider(second, "bob")
        befriend(alice, bob)
        async with AsyncExitStack() as stack:
            watcher = await enter(stack, bob)
            await enter(stack, alice)
            await told(watcher, alice, "online")


class TestBlocks:
    """Neither of two hears of the other once one has blocked the other, whatever rooms they share."""

    @pytest.mark.parametrize("who_blocks", ["alice", "bob"])
    async def test_the_next_change_reaches_the_others_only(
        self, brisk_server: LiveServer, who_blocks: str
    ) -> None:
        alice, bob, charlie = (Insider(brisk_server, name) for name in ("alice", "bob", "charlie"))
        befriend(alice, bob)
        alice.group(bob, charlie)
        async with AsyncExitStack() as stack:
            watcher, mate = await enter(stack, bob), await enter(stack, charlie)
            hers = await enter(stack, alice)
            for socket in (watcher, mate):
                await told(socket, alice, "online")
            one, other = (alice, bob) if who_blocks == "alice" else (bob, alice)
            assert one.call("PUT", f"/blocks/{other.id}").status_code == 204
            for socket in (hers, watcher):
                await socket.until("friend.removed")
            await hers.send("presence", {"status": "away"})
            await told(mate, alice, "away")
            await told_nothing(watcher, alice, 0.5)
            await watcher.send("presence", {"status": "away"})
            await told(mate, bob, "away")
            await told_nothing(hers, bob, 0.5)
            assert one.call("DELETE", f"/blocks/{other.id}").status_code == 204
            await hers.send("presence", {"status": "online"})
            await told(watcher, alice, "online")

    async def test_so_it_is_on_another_process_if_there_can_be_one(
        self, running: Callable[[str], LiveServer]
    ) -> None:
        kinds = ("uvicorn", "daphne") if settings.REDIS_URLS else ("uvicorn", "uvicorn")
        first, second = map(running, kinds)
        alice, bob, charlie = Insider(first, "alice"), Insider(second, "bob"), Insider(second, "charlie")
        alice.group(bob, charlie)
        async with AsyncExitStack() as stack:
            watcher, mate = await enter(stack, bob), await enter(stack, charlie)
            alice.call("PUT", f"/blocks/{bob.id}")
            await enter(stack, alice)
            await told(mate, alice, "online")
            await told_nothing(watcher, alice, 0.5)


class TestDevices:
    async def test_one_of_two_that_leaves_changes_nothing(self, brisk_server: LiveServer) -> None:
        alice, bob = Insider(brisk_server, "alice"), Insider(brisk_server, "bob")
        alice.group(bob)
        async with AsyncExitStack() as stack:
            watcher = await enter(stack, bob)
            await enter(stack, alice)
            await told(watcher, alice, "online")
            async with alice.socket() as other:
                await other.until("ready")
            await told_nothing(watcher, alice)

    async def test_a_brief_disconnect_does_not_show(self, brisk_server: LiveServer) -> None:
        alice, bob = Insider(brisk_server, "alice"), Insider(brisk_server, "bob")
        alice.group(bob)
        async with AsyncExitStack() as stack:
            watcher = await enter(stack, bob)
            async with alice.socket() as first:
                await first.until("ready")
                await told(watcher, alice, "online")
            await enter(stack, alice)
            await told_nothing(watcher, alice)

    async def test_a_user_is_away_when_all_of_them_are(self, brisk_server: LiveServer) -> None:
        alice, bob = Insider(brisk_server, "alice"), Insider(brisk_server, "bob")
        alice.group(bob)
        async with AsyncExitStack() as stack:
            watcher = await enter(stack, bob)
            phone = await enter(stack, alice)
            await told(watcher, alice, "online")
            async with alice.socket() as laptop:
                await everything(laptop)
                await phone.send("presence", {"status": "away"})
                await told_nothing(watcher, alice)
                await laptop.send("presence", {"status": "away"})
                await told(watcher, alice, "away")
                await laptop.send("presence", {"status": "online"})
                await told(watcher, alice, "online")
            await told(watcher, alice, "away")

    async def test_a_heartbeat_keeps_them(self, brisk_server: LiveServer) -> None:
        alice, bob = Insider(brisk_server, "alice"), Insider(brisk_server, "bob")
        alice.group(bob)
        async with AsyncExitStack() as stack:
            watcher = await enter(stack, bob)
            await enter(stack, alice)
            await told(watcher, alice, "online")
            await told_nothing(watcher, alice, 2 * TTL)


class TestFrame:
    async def test_it_has_no_answer(self, each_server: LiveServer) -> None:
        async with Insider(each_server, "alice").socket() as socket:
            await socket.until("ready")
            await socket.send("presence", {"status": "away"}, id="1")
            assert (await socket.ask("ping", id="2"))["type"] == "pong"
            assert [frame["type"] for frame in socket.frames] == ["ready", "pong"]

    @pytest.mark.parametrize(
        ("data", "code", "attr"),
        [
            ({"status": "offline"}, "validation_error", "status"),
            ({"status": 1}, "validation_error", "status"),
            ({}, "validation_error", "status"),
            ({"status": "away", "room_id": "x"}, "unknown_field", "room_id"),
        ],
    )
    async def test_another_status_is_refused(
        self, server: LiveServer, data: dict[str, Any], code: str, attr: str
    ) -> None:
        async with Insider(server, "alice").socket() as socket:
            refused = (await socket.ask("presence", data))["data"]
            assert (refused["code"], refused["errors"][0]["attr"]) == (code, attr)

    async def test_it_needs_a_user(self, server: LiveServer) -> None:
        async with Socket(server.ws) as socket:
            assert (await socket.ask("presence", {"status": "away"}))["data"]["code"] == "auth_required"


class TestLastSeenAt:
    async def test_is_kept_once_others_are_told(self, brisk_server: LiveServer) -> None:
        alice, bob = Insider(brisk_server, "alice"), Insider(brisk_server, "bob")
        alice.group(bob)
        async with bob.socket() as watcher:
            await watcher.until("ready")
            async with alice.socket() as hers:
                await everything(hers)
                await told(watcher, alice, "online")
            left = await told(watcher, alice, "offline")
        (seen,) = bob.call("GET", f"/users/presence?ids={alice.id}").json()
        assert seen == left


class TestKilledProcess:
    """With Redis another process tells of the end; without it there is no other one."""

    async def test_its_users_are_gone_when_their_entries_run_out(self, mortal_server: LiveServer) -> None:
        survivor = LiveServer(**TIMING) if settings.REDIS_URLS else mortal_server
        alice, bob = Insider(mortal_server, "alice"), Insider(mortal_server, "bob")
        befriend(alice, bob)
        if not settings.REDIS_URLS:
            async with alice.socket() as hers:
                await everything(hers)
                await eventually_in_database(lambda: User.objects.get(id=alice.id).last_seen_at)
                (seen,) = bob.call("GET", f"/users/presence?ids={alice.id}").json()
                assert seen["status"] == "online"
                mortal_server.kill()
            mortal_server.start()
            (seen,) = bob.call("GET", f"/users/presence?ids={alice.id}").json()
            assert seen["status"] == "offline"
            assert seen["last_seen_at"]
            return
        survivor.start()
        try:
            async with bob.socket(survivor) as watcher:
                await watcher.until("ready")
                async with alice.socket() as hers:
                    await everything(hers)
                    await told(watcher, alice, "online")
                    mortal_server.kill()
                    async with asyncio.timeout(TTL + 2 * SWEEP):
                        await told(watcher, alice, "offline")
                await told_nothing(watcher, alice)
        finally:
            survivor.close()
