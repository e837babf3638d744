"""Who is told that somebody is here, away or gone, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from friendships.models import Friendship
from realtime.tests.stage import Insider, eventually_in_database, everything, in_thread
from tests.live import LiveServer, Socket

GRACE = 1
"""PRESENCE_GRACE_SECONDS of the servers that these tests have for themselves."""

TIMING = {"PRESENCE_GRACE_SECONDS": str(GRACE), "WS_HEARTBEAT_SECONDS": "1"}
TTL = 2.25
SWEEP = 1

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def brisk_server(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[LiveServer]:
    """A server of each kind with a short grace and a fast heartbeat."""
    server = LiveServer(request.param, **TIMING).start()
    yield server
    server.close()


@pytest.fixture
def mortal_server(transactional_db: None) -> Iterator[LiveServer]:
    """A server that a test may kill."""
    server = LiveServer(**TIMING).start()
    yield server
    server.close()


def befriend(one: Insider, other: Insider) -> None:
    sides = [Friendship(user_id=a.id, friend_id=b.id) for a, b in ((one, other), (other, one))]
    in_thread(Friendship.objects.bulk_create, sides)


async def told(socket: Socket, person: Insider, status: str) -> dict[str, Any]:
    """The next that the socket hears of that person's presence, which is this."""
    while (data := await socket.next_presence())["user_id"] != person.id:
        pass
    assert data.keys() == {"user_id", "status", "last_seen_at"}
    assert data["status"] == status
    return data


async def told_nothing(socket: Socket, person: Insider, seconds: float = GRACE + SWEEP + 0.5) -> None:
    """Fails if the socket hears of that person's presence in the next seconds."""
    before = len(socket.presences)
    await socket.nothing_for(seconds)
    assert [frame for frame in socket.presences[before:] if frame["data"]["user_id"] == person.id] == []


async def enter(stack: AsyncExitStack, person: Insider, **options: Any) -> Socket:
    """A socket of the person's that counts."""
    socket = await stack.enter_async_context(person.socket(**options))
    await everything(socket)
    return socket


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


def show_to(person: Insider, audience: str) -> None:
    answer = person.call("PATCH", "/users/me", json={"settings": {"last_seen": audience}})
    assert answer.status_code == 200


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
                before = [len(socket.presences) for socket in (friend, mate, other, hers)]
                show_to(alice, audience)
                await hers.until("account.updated")
                for socket in sockets:
                    assert await told(socket, alice, "online" if is_shown else "offline") == (
                        came if is_shown else gone
                    )
                await asyncio.gather(*(told_nothing(socket, alice, 0.5) for socket in (friend, mate, hers)))
                heard = [len(socket.presences) for socket in (friend, mate, other, hers)]
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
            heard = {
                name
                for name, socket in sockets.items()
                if any(frame["data"]["user_id"] == alice.id for frame in socket.presences)
            }
            assert heard == names

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
