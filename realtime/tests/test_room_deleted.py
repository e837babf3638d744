"""A deleted room ends for everyone at one position, whatever is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import uuid4

from realtime.tests.stage import (
    WINDOW,
    Insider,
    come_back,
    everything,
    positions,
    send_messages,
    sight,
    until_position,
)
from tests.live import LiveServer, Socket


def delete(room: str, by: Insider) -> None:
    by.call("DELETE", f"/rooms/{room}").raise_for_status()


async def positions_sent(socket: Socket, room: str) -> list[int]:
    """Send messages without a pause until the room is not found; the positions of those that were saved."""
    sent: list[int] = []
    codes: set[str] = set()
    while not codes:
        waiting = {uuid4().hex for _ in range(WINDOW)}
        for id_ in waiting:
            await socket.send("message", {"room_id": room, "content": "Hi"}, id=id_)
        while waiting:
            frame = await socket.receive()
            if frame.get("id") in waiting:
                waiting.remove(frame["id"])
                if frame["type"] == "ack":
                    sent.append(frame["data"]["pos"])
                else:
                    codes.add(frame["data"]["code"])
    assert codes == {"not_found"}
    return sent


class TestDeletion:
    async def test_the_deletion_is_the_last_event_for_everyone_though_both_processes_are_sending(
        self, running: Callable[[str], LiveServer], transactional_db: None
    ) -> None:
        first, second = running("uvicorn"), running("daphne")
        alice, bob = Insider(first, "alice"), Insider(second, "bob")
        charlie = Insider(first, "charlie")
        room = alice.group(bob, charlie)
        stream = f"room:{room}"
        async with (
            alice.socket() as hers,
            bob.socket() as his,
            charlie.socket() as here,
            charlie.socket(second) as there,
        ):
            sockets = (hers, his, here, there)
            for socket in sockets:
                await socket.receive()
            bursts = [asyncio.create_task(positions_sent(socket, room)) for socket in (hers, his)]
            await asyncio.gather(*(until_position(socket, stream, 20) for socket in (here, there)))
            await asyncio.to_thread(delete, room, alice)
            sent = [pos for burst in bursts for pos in await burst]
            last = (await sight(here, "room.deleted"))["pos"]
            for socket in sockets:
                assert (await sight(socket, "room.deleted"))["data"] == {"room_id": room, "by": alice.id}
                left = await sight(socket, "room.left")
                assert left["data"] == {"room_id": room, "reason": "deleted"}
                await everything(socket)
                assert positions(socket, stream) == list(range(1, last + 1))
        # All that was acknowledged is before it, and nothing else is.
        assert sorted(sent) == list(range(1, last))

    async def test_who_was_away_learns_of_it_by_resume(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        async with alice.socket() as hers:
            await send_messages(hers, room, 3)
        delete(room, alice)
        mine, stream = f"user:{bob.id}", f"room:{room}"
        async with Socket(each_server.ws) as his:
            resumed = await come_back(his, bob, {mine: 1, stream: 2})
            assert resumed == {"streams": {mine: {"from": 2, "to": 2}}, "denied": [stream]}
            assert (await sight(his, "room.left"))["data"] == {"room_id": room, "reason": "deleted"}
            assert positions(his, stream) == []

    async def test_who_was_away_from_before_the_joining_gets_all_of_the_room(
        self, each_server: LiveServer
    ) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        async with alice.socket() as hers:
            await send_messages(hers, room, 3)
        delete(room, alice)
        async with Socket(each_server.ws) as his:
            await come_back(his, bob, {f"user:{bob.id}": 0})
            seen = await until_position(his, stream, 4)
            assert [event["type"] for event in seen] == ["message"] * 3 + ["room.deleted"]
            await sight(his, "room.left")

    async def test_who_resumes_while_it_is_deleted_gets_it_up_to_there(self, server: LiveServer) -> None:
        alice, bob = Insider(server, "alice"), Insider(server, "bob")
        room = alice.group(bob)
        stream = f"room:{room}"
        async with alice.socket() as hers:
            await send_messages(hers, room, 250)
        async with bob.socket() as his:
            await his.receive()
            await his.send("resume", {"cursors": {stream: 0}}, id="r")
            await asyncio.to_thread(delete, room, alice)
            assert (await sight(his, "room.deleted"))["pos"] == 251
            await sight(his, "resumed")
            await everything(his)
            assert positions(his, stream) == list(range(1, 252))
            again = await his.ask("resume", {"cursors": {stream: 0}})
            assert again["data"] == {"streams": {}, "denied": [stream]}

    async def test_nothing_ephemeral_comes_from_it_afterwards(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.group(bob)
        async with alice.socket() as hers, bob.socket() as his:
            for socket in (hers, his):
                await socket.receive()
            await send_messages(hers, room, 1)
            await until_position(his, f"room:{room}", 1)
            delete(room, alice)
            for socket in (hers, his):
                await sight(socket, "room.left")
                await sight(socket, "room.deleted")
            for type_, data in (
                ("read", {"seq": 1}),
                ("delivered", {"seq": 1}),
                ("typing", {"is_typing": True}),
            ):
                refused = await his.ask(type_, {"room_id": room, **data})
                assert (refused["type"], refused["data"]["code"]) == ("error", "not_found")
            await hers.nothing_for()
