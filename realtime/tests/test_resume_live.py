"""Resuming while others talk, join and are removed."""

from __future__ import annotations

import asyncio

from realtime.tests.stage import (
    Insider,
    come_back,
    events,
    everything,
    positions,
    say,
    send_messages,
    sight,
    until_position,
)
from tests.live import LiveServer, Socket


class TestDuringTraffic:
    """Another client sends all the time; what the one who comes back gets has no hole and no repeat."""

    async def test_auth_with_cursors(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        await say(alice, room, 150)

        async def read(cursor: int) -> list[int]:
            async with Socket(each_server.ws) as socket:
                await socket.ask("auth", {"token": bob.token, "cursors": {stream: cursor}})
                await until_position(socket, stream, 450)
                assert await sight(socket, "resumed")
                return positions(socket, stream)

        async with alice.socket() as socket:
            talk = asyncio.create_task(send_messages(socket, room, 300))
            read_by_each = await asyncio.gather(*(read(cursor) for cursor in (0, 1, 60, 149, 150)))
            await talk
        assert read_by_each == [list(range(cursor + 1, 451)) for cursor in (0, 1, 60, 149, 150)]

    async def test_resume_again_and_again(self, each_server: LiveServer) -> None:
        """A client that drops what it has, as the protocol tells it to, sees every position once."""
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        kept: list[int] = []
        ready = asyncio.Event()

        async def read() -> None:
            async with bob.socket() as socket:
                await socket.receive()
                ready.set()
                while not kept or kept[-1] < 400:
                    frame = await socket.receive()
                    if frame.get("stream") != stream or "pos" not in frame:
                        continue
                    cursor = kept[-1] if kept else 0
                    if frame["pos"] <= cursor:
                        continue
                    kept.append(frame["pos"])
                    if frame["pos"] % 40 == 0:
                        await socket.send(
                            "resume", {"cursors": {stream: frame["pos"] - frame["pos"] % 80 // 2}}
                        )

        async with alice.socket() as socket:
            reading = asyncio.create_task(read())
            await ready.wait()
            await send_messages(socket, room, 400)
            await reading
        assert kept == list(range(1, 401))


class TestMembershipInTheGap:
    """What user and room streams say together, when the membership changed while the user was away."""

    async def test_a_room_joined_in_the_gap_comes_from_its_joining_on(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group()
        stream = f"room:{room}"
        await say(alice, room, 3)
        alice.call("POST", f"/rooms/{room}/members", json={"user_ids": [bob.id]}).raise_for_status()
        await say(alice, room, 120)
        async with Socket(each_server.ws) as socket:
            await socket.ask("auth", {"token": bob.token, "cursors": {f"user:{bob.id}": 0}})
            joined = await sight(socket, "room.joined")
            assert joined["data"]["stream"] == stream
            assert joined["data"]["pos"] == 4
            await until_position(socket, stream, 124)
            assert positions(socket, stream) == list(range(5, 125))

    async def test_a_room_joined_and_left_in_the_gap_comes_up_to_the_removal(
        self, each_server: LiveServer
    ) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group()
        stream = f"room:{room}"
        await say(alice, room, 3)
        alice.call("POST", f"/rooms/{room}/members", json={"user_ids": [bob.id]}).raise_for_status()
        await say(alice, room, 120)
        alice.call("DELETE", f"/rooms/{room}/members/{bob.id}").raise_for_status()
        await say(alice, room, 5)
        async with Socket(each_server.ws) as socket:
            await socket.ask("auth", {"token": bob.token, "cursors": {f"user:{bob.id}": 0}})
            await until_position(socket, stream, 125)
            await say(alice, room, 5)
            await everything(socket)
            seen = events(socket, stream)
        assert [event["pos"] for event in seen] == list(range(5, 126))
        assert seen[-1]["type"] == "member.removed"
        assert [event["type"] for event in events(socket, f"user:{bob.id}")] == ["room.joined", "room.left"]

    async def test_a_room_left_in_the_gap_is_denied(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        await say(alice, room, 3)
        alice.call("DELETE", f"/rooms/{room}/members/{bob.id}").raise_for_status()
        await say(alice, room, 3)
        async with Socket(each_server.ws) as socket:
            resumed = await come_back(socket, bob, {f"user:{bob.id}": 1, stream: 1})
            assert resumed == {
                "streams": {f"user:{bob.id}": {"from": 2, "to": 2}},
                "denied": [stream],
            }
            assert [event["type"] for event in events(socket, f"user:{bob.id}")] == ["room.left"]
            await say(alice, room, 3)
            await everything(socket)
            assert not events(socket, stream)

    async def test_an_old_cursor_does_not_open_what_came_before_the_new_membership(
        self, each_server: LiveServer
    ) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        await say(alice, room, 3)
        alice.call("DELETE", f"/rooms/{room}/members/{bob.id}").raise_for_status()
        await say(alice, room, 3)
        alice.call("POST", f"/rooms/{room}/members", json={"user_ids": [bob.id]}).raise_for_status()
        await say(alice, room, 3)
        async with Socket(each_server.ws) as socket:
            resumed = await come_back(socket, bob, {f"user:{bob.id}": 1, stream: 2})
            await say(alice, room, 1)
            await until_position(socket, stream, 12)
            assert positions(socket, stream) == [9, 10, 11, 12]
            assert resumed["streams"][stream] == {"from": 3, "to": 11}
            missing = [frame["data"] for frame in socket.frames if frame["type"] == "resync_required"]
            assert missing == [{"stream": stream, "from": 3, "to": 8}], "and it is told so, exactly"
            told = [event["type"] for event in events(socket, f"user:{bob.id}")]
            assert told == ["room.left", "room.joined"]
