"""`delivered`: what a device has got. Monotone, told to everyone in the room, not kept."""

from __future__ import annotations

import pytest

from core.errors import NotFound
from eventlog.models import Event
from messaging import services
from tests.live import LiveServer, Person


class TestService:
    def test_it_moves_forward_only_and_never_past_the_last_message(
        self, alice, bob, room, say, membership_of
    ):
        for _ in range(3):
            say(bob)
        for seq, marker in ((2, 2), (1, 2), (99, 3)):
            services.mark_delivered(alice.id, "kitchen", seq=seq)
            assert membership_of(alice, room).last_delivered_seq == marker

    def test_it_says_nothing_of_reading(self, alice, bob, room, say, membership_of):
        say(bob)
        services.mark_delivered(alice.id, "kitchen", seq=1)
        assert membership_of(alice, room).last_read_seq == 0

    def test_a_stranger_finds_no_room(self, charlie, room):
        with pytest.raises(NotFound):
            services.mark_delivered(charlie.id, "kitchen", seq=1)

    def test_it_is_not_kept(self, alice, bob, room, say):
        say(bob)
        before = Event.objects.count()
        services.mark_delivered(alice.id, "kitchen", seq=1)
        assert Event.objects.count() == before


class TestFrame:
    async def test_the_sender_and_my_other_device_are_told_once(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.direct_room_with(bob)
        bob.call("POST", f"/rooms/{room}/messages", json={"content": "Hi"})
        async with alice.socket() as phone, alice.socket() as laptop, bob.socket() as his:
            for socket in (phone, laptop, his):
                await socket.until("ready")
            assert (await phone.ask("delivered", {"room_id": room, "seq": 1}))["type"] == "ack"
            for socket in (laptop, his):
                told = await socket.until("delivered")
                assert told["data"] == {"room_id": room, "user_id": alice.id, "seq": 1}
                assert "pos" not in told
            await phone.send("delivered", {"room_id": room, "seq": 1})
            await his.nothing_for(1)

    async def test_a_stranger_is_told_not_found(self, server: LiveServer) -> None:
        alice, bob, charlie = (Person(server, name) for name in ("alice", "bob", "charlie"))
        room = alice.direct_room_with(bob)
        async with charlie.socket() as socket:
            refused = await socket.ask("delivered", {"room_id": room, "seq": 1})
        assert refused["data"]["code"] == "not_found"
