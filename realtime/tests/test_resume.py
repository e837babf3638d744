"""Coming back: cursors in `auth` and in `resume` bring what was missed, in order, each once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from realtime.tests.stage import (
    Insider,
    come_back,
    events,
    everything,
    positions,
    runs,
    say,
    send_messages,
    sight,
    until_position,
)
from tests.live import LiveServer, Socket


class TestMissed:
    @pytest.mark.parametrize("missed", [0, 1, 100, 250])
    async def test_auth_with_cursors_brings_all_of_it(self, server: LiveServer, missed: int) -> None:
        alice, bob = Insider(server, "alice"), Insider(server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        await say(alice, room, 260)
        async with Socket(server.ws) as socket:
            resumed = await come_back(socket, bob, {stream: 260 - missed})
            assert resumed == {"streams": {stream: {"from": 261 - missed, "to": 260}}, "denied": []}
            assert positions(socket, stream) == list(range(261 - missed, 261))
            assert socket.frames[-1]["type"] == "resumed", "it comes when all of it is there"

    @pytest.mark.parametrize("missed", [0, 1, 250])
    async def test_resume_brings_all_of_it(self, each_server: LiveServer, missed: int) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        await say(alice, room, 260)
        async with bob.socket() as socket:
            ready = await socket.receive()
            assert ready["data"]["streams"][stream] == 260
            resumed = await socket.ask("resume", {"cursors": {stream: 260 - missed}})
            assert resumed == {
                "type": "resumed",
                "id": resumed["id"],
                "data": {"streams": {stream: {"from": 261 - missed, "to": 260}}, "denied": []},
            }
            assert positions(socket, stream) == list(range(261 - missed, 261))

    async def test_from_cursor_0_everything_comes_as_it_was_sent_live(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        async with bob.socket() as socket:
            await everything(socket)
            await say(alice, room, 120)
            live = await until_position(socket, stream, 120)
        async with Socket(each_server.ws) as socket:
            await come_back(socket, bob, {stream: 0})
            assert events(socket, stream) == live

    async def test_many_streams_at_once(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        rooms = [alice.group(bob) for _ in range(5)]
        for number, room in enumerate(rooms):
            await say(alice, room, 30 * number)
        cursors = {f"room:{room}": 10 * number for number, room in enumerate(rooms)}
        async with Socket(each_server.ws) as socket:
            resumed = await come_back(socket, bob, {f"user:{bob.id}": 0, **cursors})
            for number, room in enumerate(rooms):
                expected = list(range(10 * number + 1, 30 * number + 1))
                assert positions(socket, f"room:{room}") == expected
                assert resumed["streams"][f"room:{room}"] == {"from": 10 * number + 1, "to": 30 * number}
            assert positions(socket, f"user:{bob.id}") == [1, 2, 3, 4, 5]

    async def test_streams_without_a_cursor_go_on_from_ready(self, server: LiveServer) -> None:
        alice, bob = Insider(server, "alice"), Insider(server, "bob")
        named, other = alice.group(bob), alice.group(bob)
        for room in (named, other):
            await say(alice, room, 5)
        async with Socket(server.ws) as socket:
            resumed = await come_back(socket, bob, {f"room:{named}": 3})
            assert resumed["streams"].keys() == {f"room:{named}"}
            await say(alice, other, 1)
            await until_position(socket, f"room:{other}", 6)
            assert positions(socket, f"room:{named}") == [4, 5]
            assert positions(socket, f"room:{other}") == [6]

    async def test_live_events_follow_the_replay_without_a_seam(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        await say(alice, room, 10)
        async with Socket(each_server.ws) as socket:
            await come_back(socket, bob, {f"room:{room}": 4})
            await say(alice, room, 10)
            await until_position(socket, f"room:{room}", 20)
            assert positions(socket, f"room:{room}") == list(range(5, 21))


class TestAgain:
    async def test_twice_in_a_row_replays_twice(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        await say(alice, room, 30)
        async with bob.socket() as socket:
            for _ in range(2):
                await socket.ask("resume", {"cursors": {f"room:{room}": 0}})
            assert runs(positions(socket, f"room:{room}")) == [list(range(1, 31))] * 2

    async def test_the_second_of_two_at_once_replaces_the_first(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        await say(alice, room, 250)
        async with bob.socket() as socket:
            await socket.send("resume", {"cursors": {f"room:{room}": 0}}, id="1")
            await socket.send("resume", {"cursors": {f"room:{room}": 100}}, id="2")
            answered = {(await socket.until("resumed"))["id"] for _ in range(2)}
            assert answered == {"1", "2"}
            # However far the first one came, the second one's events are all there, and nothing is skipped.
            replayed = runs(positions(socket, f"room:{room}"))
            assert replayed[-1][-1] == 250
            assert {run[0] for run in replayed} <= {1, 101}
            assert set(range(101, 251)) <= {pos for run in replayed for pos in run}

    async def test_auth_again_with_cursors_rewinds_too(self, server: LiveServer) -> None:
        alice, bob = Insider(server, "alice"), Insider(server, "bob")
        room = alice.group(bob)
        await say(alice, room, 10)
        async with bob.socket() as socket:
            await come_back(socket, bob, {f"room:{room}": 7})
            assert positions(socket, f"room:{room}") == [8, 9, 10]

    async def test_no_cursors_are_resumed_at_once(self, server: LiveServer) -> None:
        async with Insider(server, "alice").socket() as socket:
            resumed = await socket.ask("resume", {"cursors": {}})
            assert resumed["data"] == {"streams": {}, "denied": []}


class TestBeyondTheHead:
    async def test_resync_required_names_the_exact_range(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        await say(alice, room, 5)
        async with bob.socket() as socket:
            await socket.ask("resume", {"cursors": {stream: 9}})
            resync = [frame for frame in socket.frames if frame["type"] == "resync_required"]
            assert resync == [
                {"type": "resync_required", "data": {"stream": stream, "from": 6, "to": 9}},
            ]
            await say(alice, room, 2)
            await until_position(socket, stream, 7)
            assert positions(socket, stream) == [6, 7]

    async def test_in_auth_as_well(self, server: LiveServer) -> None:
        alice, bob = Insider(server, "alice"), Insider(server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        async with Socket(server.ws) as socket:
            await come_back(socket, bob, {stream: 2**63 - 1})
            resync = await sight(socket, "resync_required")
            assert resync["data"] == {"stream": stream, "from": 1, "to": 2**63 - 1}
            await say(alice, room, 1)
            assert [event["pos"] for event in await until_position(socket, stream, 1)] == [1]

    async def test_a_cursor_at_the_head_needs_no_resync(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        room = alice.group()
        async with alice.socket() as socket:
            await send_messages(socket, room, 3)
            await socket.ask("resume", {"cursors": {f"room:{room}": 3}})
            assert "resync_required" not in [frame["type"] for frame in socket.frames]


class TestDenied:
    async def test_streams_that_are_not_mine_are_named_and_give_nothing(
        self, each_server: LiveServer
    ) -> None:
        alice, charlie = Insider(each_server, "alice"), Insider(each_server, "charlie")
        room = alice.group()
        await say(alice, room, 3)
        strange = sorted([f"room:{room}", f"user:{alice.id}", f"room:{uuid4()}", "nonsense", ""])
        cursors = dict.fromkeys(strange, 0)
        async with charlie.socket() as socket:
            resumed = await socket.ask("resume", {"cursors": cursors})
            assert resumed["data"] == {"streams": {}, "denied": strange}
            await say(alice, room, 1)
            await everything(socket)
            assert [frame["type"] for frame in socket.frames] == ["ready", "resumed", "pong"]
        async with Socket(each_server.ws) as socket:
            resumed = await come_back(socket, charlie, {f"user:{charlie.id}": 0, **cursors})
            assert resumed["denied"] == strange
            assert resumed["streams"].keys() == {f"user:{charlie.id}"}
            assert not [frame for frame in socket.frames if frame.get("stream") in strange]


class TestBadCursors:
    BAD: tuple[Any, ...] = (
        *(
            {"s": -1},
            {"s": 2**63},
            {"s": 2**64},
            {"s": "5"},
            {"s": 1.5},
            {"s": None},
            {"s": True},
            {"s": [1]},
        ),
        *([], "5", None, 5),
    )

    @pytest.mark.parametrize("cursors", BAD, ids=str)
    async def test_resume_refuses_them_and_rewinds_nothing(self, server: LiveServer, cursors: Any) -> None:
        alice = Insider(server, "alice")
        if isinstance(cursors, dict):
            cursors = {f"user:{alice.id}": 0, **cursors}
        alice.group()
        async with alice.socket() as socket:
            refused = await socket.ask("resume", {"cursors": cursors})
            assert refused["type"] == "error"
            assert refused["data"]["code"] == "validation_error"
            assert [error["attr"].partition(".")[0] for error in refused["data"]["errors"]] == ["cursors"]
            await everything(socket)
            assert not positions(socket, f"user:{alice.id}")

    async def test_resume_without_cursors_is_refused(self, server: LiveServer) -> None:
        async with Insider(server, "alice").socket() as socket:
            refused = await socket.ask("resume", {})
            assert refused["data"]["code"] == "validation_error"
            assert [(e["attr"], e["code"]) for e in refused["data"]["errors"]] == [("cursors", "required")]

    @pytest.mark.parametrize("cursors", [{"s": -1}, {"s": "5"}, []], ids=str)
    async def test_auth_refuses_them_and_may_be_mended(self, server: LiveServer, cursors: Any) -> None:
        alice = Insider(server, "alice")
        async with Socket(server.ws) as socket:
            refused = await socket.ask("auth", {"token": alice.token, "cursors": cursors})
            assert refused["data"]["code"] == "validation_error"
            assert (await socket.ask("auth", {"token": alice.token}))["type"] == "ready"
