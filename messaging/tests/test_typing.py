import pytest

from core.errors import NotFound
from messaging import services
from rooms.services import leave_room
from tests.live import LiveServer, Person, Socket


@pytest.mark.django_db
class TestService:
    def test_nothing_is_kept_and_nothing_written(self, alice, room, events_of, django_assert_num_queries):
        # The membership with its room, and the blocks.
        with django_assert_num_queries(2):
            services.set_typing(alice.id, "kitchen", is_typing=True)
        assert events_of(room.stream) == []

    def test_a_stranger_and_one_who_left_find_no_room(self, bob, charlie, room):
        leave_room(bob, room_key="kitchen")
        for user in (bob, charlie):
            with pytest.raises(NotFound):
                services.set_typing(user.id, "kitchen", is_typing=True)


async def _settle(*sockets: Socket) -> None:
    """What is not kept reaches a connection that follows its rooms: a little after `ready`, before the first answer."""
    for socket in sockets:
        await socket.until("ready")
        await socket.ask("ping")


class TestFrame:
    async def test_the_others_see_it_and_no_device_of_mine_does(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.group(bob, slug="kitchen")
        async with alice.socket() as phone, alice.socket() as laptop, bob.socket() as theirs:
            await _settle(phone, laptop, theirs)
            await phone.send("typing", {"room_id": "kitchen", "is_typing": True})
            frame = await theirs.until("typing")
            assert frame.keys() == {"type", "stream", "ts", "data"}
            assert frame["stream"] == f"room:{room}"
            assert frame["data"] == {"room_id": room, "user_id": alice.id, "is_typing": True}
            # What comes after it has come, so it would have come, too.
            await phone.send("message", {"room_id": room, "content": "Hi"})
            for socket in (phone, laptop, theirs):
                await socket.until("message")
            kinds = [{frame["type"] for frame in socket.frames} for socket in (phone, laptop)]
            assert kinds[0] - {"ack"} == kinds[1] == {"ready", "pong", "message"}

    async def test_it_is_not_kept(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as mine, bob.socket() as theirs:
            await _settle(mine, theirs)
            await mine.send("typing", {"room_id": room, "is_typing": True})
            await theirs.until("typing")
        async with bob.socket() as later:
            ready = await later.until("ready")
            assert ready["data"]["streams"][f"room:{room}"] == 0
            await later.send("resume", {"cursors": {f"room:{room}": 0}})
            await later.until("resumed")
        assert [frame["type"] for frame in later.frames] == ["ready", "resumed"]

    async def test_a_stranger_is_told_not_found_and_the_room_nothing(self, each_server: LiveServer) -> None:
        alice, bob, charlie = (Person(each_server, name) for name in ("alice", "bob", "charlie"))
        room = alice.direct_room_with(bob)
        async with alice.socket() as hers, charlie.socket() as stranger:
            await _settle(hers, stranger)
            await stranger.send("typing", {"room_id": room, "is_typing": True})
            error = await stranger.until("error")
            assert (error["data"]["code"], error["data"]["request"]) == ("not_found", {"type": "typing"})
            await hers.nothing_for()

    async def test_it_is_never_acked_and_an_odd_one_is_an_error(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as socket:
            await socket.until("ready")
            await socket.send("typing", {"room_id": room, "is_typing": False}, id="t-1")
            await socket.ask("ping")
            assert [frame["type"] for frame in socket.frames] == ["ready", "pong"]
            for change, code in (
                ({"is_typing": "yes"}, "validation_error"),
                ({"is_typing": None}, "validation_error"),
                ({"user_id": bob.id}, "unknown_field"),
            ):
                error = await socket.ask("typing", {"room_id": room, "is_typing": True} | change)
                assert (error["type"], error["data"]["code"]) == ("error", code)

    async def test_more_often_than_every_three_seconds_it_is_not_passed_on(self, server: LiveServer) -> None:
        alice, bob = Person(server, "alice"), Person(server, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as mine, bob.socket() as theirs:
            await _settle(mine, theirs)
            for _ in range(5):
                for is_typing in (True, False):
                    await mine.send("typing", {"room_id": room, "is_typing": is_typing})
            await mine.send("message", {"room_id": room, "content": "Hi"})
            await theirs.until("message")
        told = [frame["data"]["is_typing"] for frame in theirs.frames if frame["type"] == "typing"]
        assert told == [True, False]

    async def test_who_falls_silent_types_no_more_after_ten_seconds(self, server: LiveServer) -> None:
        alice, bob = Person(server, "alice"), Person(server, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as mine, bob.socket() as theirs:
            await _settle(mine, theirs)
            await mine.send("typing", {"room_id": room, "is_typing": True})
            assert (await theirs.until("typing"))["data"]["is_typing"] is True
            ended = await theirs.until("typing")
        assert ended["data"] == {"room_id": room, "user_id": alice.id, "is_typing": False}
