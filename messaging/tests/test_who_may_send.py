"""Locked and archived rooms, and members who are muted: who may still send, by both doors."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from core.errors import Muted, RoomLocked
from messaging import services
from messaging.models import Message
from rooms.models import Membership, Room
from rooms.services import add_members, remove_member, update_member, update_room
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rooms/kitchen/messages"
LATER = datetime(2999, 1, 1, tzinfo=UTC)


def mute(by, user, until=LATER):
    update_member(by, room_key="kitchen", user_id=user.id, muted_until=until)


class TestService:
    @pytest.mark.parametrize(("role", "refused"), [("owner", False), ("admin", False), ("member", True)])
    def test_in_a_locked_room_admins_alone_send(self, alice, bob, room, draft_of, role, refused):
        update_room(alice, room_key="kitchen", state="locked")
        Membership.objects.filter(user=bob).update(role=role)
        (outcome,) = services.send_messages([draft_of(bob)])
        assert type(outcome) is (RoomLocked if refused else services.Sent)

    @pytest.mark.parametrize("role", ["owner", "admin", "member"])
    def test_in_an_archived_room_nobody_sends(self, alice, bob, room, draft_of, role):
        update_room(alice, room_key="kitchen", state="archived")
        Membership.objects.filter(user=bob).update(role=role)
        (outcome,) = services.send_messages([draft_of(bob)])
        assert type(outcome) is RoomLocked
        assert not Message.objects.exists()

    def test_who_is_muted_sends_nothing_and_holds_up_nobody(self, alice, bob, room, draft_of):
        mute(alice, bob)
        outcomes = services.send_messages([draft_of(user) for user in (alice, bob, alice)])
        assert [type(outcome) for outcome in outcomes] == [services.Sent, Muted, services.Sent]

    def test_who_speaks_again_or_whose_time_is_over_sends(self, alice, bob, room, say):
        mute(alice, bob)
        mute(alice, bob, None)
        assert say(bob).seq == 1
        Membership.objects.filter(user=bob).update(silenced_until=timezone.now() - timedelta(seconds=1))
        assert say(bob).seq == 2

    def test_their_own_mute_of_the_room_does_not_silence_them(self, bob, room, say):
        Membership.objects.filter(user=bob).update(muted_until=LATER)
        assert say(bob).seq == 1

    def test_leaving_and_coming_back_does_not_shed_it(self, alice, bob, room, say):
        mute(alice, bob)
        remove_member(alice, room_key="kitchen", user_id=bob.id)
        add_members(alice, room_key="kitchen", user_ids=[bob.id])
        with pytest.raises(Muted):
            say(bob)

    def test_a_repeat_of_what_was_sent_before_is_still_answered(self, alice, bob, room, say):
        first = say(bob, client_message_id="c-1")
        mute(alice, bob)
        assert say(bob, client_message_id="c-1").id == first.id

    def test_a_batch_asks_nothing_more_for_it(self, alice, bob, room, draft_of, django_assert_num_queries):
        services.send_messages([draft_of(bob)])
        mute(alice, bob)
        with django_assert_num_queries(3):  # where the slug leads, the stream's lock, the membership
            services.send_messages([draft_of(bob)])

    @pytest.mark.django_db(transaction=True)
    def test_a_send_is_before_the_mute_or_refused(self, alice, bob, room, say, race, events_of):
        for _ in range(10):
            before = Message.objects.count()
            _, *sent = race(lambda: mute(alice, bob), lambda: say(bob), lambda: say(bob))
            saved = [outcome for outcome in sent if not isinstance(outcome, Muted)]
            assert Message.objects.count() == before + len(saved)
            # All that was saved is before the mute in the log, too.
            assert events_of(room.stream)[-1]["type"] == "member.updated"
            with pytest.raises(Muted):
                say(bob)
            mute(alice, bob, None)


class TestApi:
    def test_the_refusals_are_403_and_tell_which(self, alice, bob, room, client_of):
        client, answers = client_of(bob), []
        mute(alice, bob)
        answers.append(client.post(PATH, {"content": "Hi"}))
        mute(alice, bob, None)
        for state in ("locked", "archived"):
            update_room(alice, room_key="kitchen", state=state)
            answers.append(client.post(PATH, {"content": "Hi"}))
        assert [answer.status_code for answer in answers] == [403] * 3
        codes = [(answer.json()["code"], answer.json()["retryable"]) for answer in answers]
        assert codes == [("muted", False), ("room_locked", False), ("room_locked", False)]
        assert not Message.objects.exists()

    def test_what_was_said_can_be_read_in_any_state(self, alice, bob, room, say, client_of):
        say(alice)
        for state in ("locked", "archived"):
            Room.objects.update(state=state)
            assert len(client_of(bob).get(PATH).json()["results"]) == 1


class TestFrame:
    async def test_the_refusals_are_errors_and_the_socket_stays_open(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.group(bob)
        message = {"room_id": room, "content": "Hi"}
        async with bob.socket() as socket:
            await socket.until("ready")
            alice.call(
                "PATCH", f"/rooms/{room}/members/{bob.id}", json={"muted_until": "2999-01-01T00:00:00Z"}
            )
            muted = await socket.ask("message", message)
            alice.call("PATCH", f"/rooms/{room}/members/{bob.id}", json={"muted_until": None})
            alice.call("PATCH", f"/rooms/{room}", json={"state": "locked"})
            locked = await socket.ask("message", message)
            alice.call("PATCH", f"/rooms/{room}", json={"state": "active"})
            sent = await socket.ask("message", message)
        assert [(frame["type"], frame["data"].get("code")) for frame in (muted, locked, sent)] == [
            ("error", "muted"),
            ("error", "room_locked"),
            ("ack", None),
        ]
