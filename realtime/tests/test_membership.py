"""Who gets a room's events: members, from their joining to their removal, on every device."""

from __future__ import annotations

import asyncio

from realtime.tests.stage import (
    Insider,
    events,
    everything,
    keep_sending,
    positions,
    send_messages,
    sight,
    until_position,
)
from tests.live import LiveServer, Socket


def add(room: str, by: Insider, *who: Insider) -> None:
    body = {"user_ids": [person.id for person in who]}
    by.call("POST", f"/rooms/{room}/members", json=body).raise_for_status()


def remove(room: str, by: Insider, who: Insider) -> None:
    by.call("DELETE", f"/rooms/{room}/members/{who.id}").raise_for_status()


class TestAdded:
    async def test_who_is_added_while_connected_gets_the_room_from_then_on(
        self, each_server: LiveServer
    ) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group()
        stream = f"room:{room}"
        async with alice.socket() as hers, bob.socket() as his:
            await hers.receive()
            assert stream not in (await his.receive())["data"]["streams"]
            await send_messages(hers, room, 3)
            add(room, alice, bob)
            joined = await his.until("room.joined")
            assert joined["stream"] == f"user:{bob.id}"
            assert joined["data"]["stream"] == stream
            assert joined["data"]["pos"] == 4
            assert joined["data"]["room"]["id"] == room
            assert joined["data"]["room"]["my"]["role"] == "member"
            added = await hers.until("member.added")
            assert (added["pos"], added["data"]["user"]["id"], added["data"]["by"]) == (4, bob.id, alice.id)
            await send_messages(hers, room, 3)
            await until_position(his, stream, 7)
            assert positions(his, stream) == [5, 6, 7]

    async def test_who_is_added_amid_a_burst_gets_it_from_the_joining_on_without_a_hole(
        self, each_server: LiveServer
    ) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group()
        stream = f"room:{room}"
        async with alice.socket() as hers, bob.socket() as his:
            await everything(his)
            enough = asyncio.Event()
            burst = asyncio.create_task(keep_sending(hers, room, enough))
            await asyncio.to_thread(add, room, alice, bob)
            joined = await his.until("room.joined")
            enough.set()
            last = await burst
            await until_position(his, stream, last)
            assert positions(his, stream) == list(range(joined["data"]["pos"] + 1, last + 1))

    async def test_all_devices_of_the_new_member_get_the_room(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group()
        async with alice.socket() as hers, bob.socket() as phone, bob.other_device().socket() as laptop:
            for socket in (phone, laptop):
                await socket.receive()
            add(room, alice, bob)
            for socket in (phone, laptop):
                await socket.until("room.joined")
            await send_messages(hers, room, 1)
            for socket in (phone, laptop):
                assert (await socket.until("message"))["pos"] == 2

    async def test_a_direct_room_opens_for_both(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        async with alice.socket() as hers, bob.socket() as his:
            for socket in (hers, his):
                await socket.receive()
            room = alice.direct_room_with(bob)
            for socket in (hers, his):
                assert (await socket.until("room.joined"))["data"]["room"]["id"] == room
            await send_messages(his, room, 1)
            assert (await hers.until("message"))["pos"] == 1


class TestRemoved:
    async def test_the_removal_is_the_last_event_though_others_go_on(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        charlie = Insider(each_server, "charlie")
        room = alice.group(bob, charlie)
        stream = f"room:{room}"
        async with alice.socket() as hers, bob.socket() as his, charlie.socket() as third:
            for socket in (hers, his, third):
                await socket.receive()
            enough = asyncio.Event()
            burst = asyncio.create_task(keep_sending(hers, room, enough))
            await until_position(his, stream, 20)
            await asyncio.to_thread(remove, room, alice, bob)
            enough.set()
            last = await burst
            removed = await sight(his, "member.removed")
            assert removed["data"]["user"]["id"] == bob.id
            assert removed["data"]["reason"] == "removed"
            await sight(his, "room.left", room_id=room)
            # Charlie has all of it by now, so what bob would get would be there, too.
            await until_position(third, stream, last)
            await everything(his)
            seen = events(his, stream)
        assert [event["pos"] for event in seen] == list(range(1, removed["pos"] + 1))
        assert seen[-1] == removed
        assert removed["pos"] < last
        assert positions(third, stream) == list(range(1, last + 1))

    async def test_who_leaves_hears_no_more_on_any_device(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        async with alice.socket() as hers, bob.socket() as phone, bob.other_device().socket() as laptop:
            for socket in (hers, phone, laptop):
                await socket.receive()
            bob.call("POST", f"/rooms/{room}/leave").raise_for_status()
            await send_messages(hers, room, 3)
            await until_position(hers, stream, 4)
            for socket in (phone, laptop):
                assert (await sight(socket, "member.removed"))["data"]["reason"] == "left"
                await sight(socket, "room.left", room_id=room)
                await everything(socket)
                assert positions(socket, stream) == [1]

    async def test_who_was_removed_can_no_longer_resume_the_room(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        async with bob.socket() as his:
            await his.receive()
            remove(room, alice, bob)
            await his.until("member.removed")
            resumed = await his.ask("resume", {"cursors": {stream: 0}})
            assert resumed["data"] == {"streams": {}, "denied": [stream]}
            assert positions(his, stream) == [1]

    async def test_who_resumes_while_being_removed_gets_nothing_beyond(self, server: LiveServer) -> None:
        alice, bob = Insider(server, "alice"), Insider(server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        async with alice.socket() as hers:
            await send_messages(hers, room, 250)
            async with bob.socket() as his:
                await his.receive()
                await his.send("resume", {"cursors": {stream: 0}}, id="r")
                await asyncio.to_thread(remove, room, alice, bob)
                await send_messages(hers, room, 50)
                removed = await sight(his, "member.removed")
                await sight(his, "resumed")
                await everything(his)
                assert removed["pos"] == 251
                assert positions(his, stream) == list(range(1, 252))

    async def test_who_comes_again_gets_nothing_of_the_time_between(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        async with alice.socket() as hers, bob.socket() as his:
            await everything(his)
            await send_messages(hers, room, 2)
            await until_position(his, stream, 2)
            remove(room, alice, bob)
            await his.until("room.left")
            await send_messages(hers, room, 2)
            add(room, alice, bob)
            assert (await sight(his, "room.joined", pos=6))["data"]["pos"] == 6
            await send_messages(hers, room, 2)
            await until_position(his, stream, 8)
            assert positions(his, stream) == [1, 2, 3, 7, 8]


class TestOthers:
    async def test_all_my_devices_get_my_own_events_as_the_same_bytes(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.direct_room_with(bob)

        async def text_of_the_message(socket: Socket) -> str | bytes:
            while '"type":"message"' not in (text := await asyncio.wait_for(socket.raw.recv(), 15)):
                pass
            return text

        async with alice.socket() as phone, alice.other_device().socket() as laptop, bob.socket() as his:
            for socket in (phone, laptop, his):
                await socket.receive()
            await phone.send("message", {"room_id": room, "content": "\N{GRINNING FACE}"})
            texts = [await text_of_the_message(socket) for socket in (phone, laptop, his)]
        assert len(set(texts)) == 1
        assert "\N{GRINNING FACE}" in str(texts[0])

    async def test_a_stranger_gets_nothing(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as hers, bob.socket() as his, Insider(each_server, "charlie").socket() as s:
            await everything(his)
            await everything(s)
            await send_messages(hers, room, 5)
            await until_position(his, f"room:{room}", 5)
            await everything(s)
            assert [frame["type"] for frame in s.frames] == ["ready", "pong", "pong"]

    async def test_rooms_do_not_mix(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        rooms = [alice.group(bob) for _ in range(4)]
        async with alice.socket() as hers, bob.socket() as his:
            await everything(his)
            for number in range(40):
                await hers.send("message", {"room_id": rooms[number % 4], "content": str(number)})
            for room in rooms:
                await until_position(his, f"room:{room}", 10)
        for number, room in enumerate(rooms):
            contents = [event["data"]["content"] for event in events(his, f"room:{room}")]
            assert contents == [str(n) for n in range(number, 40, 4)]
