"""What stops between two of whom one has blocked the other: sends, typing and markers; and what doesn't."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.errors import Blocked, NotFound
from friendships.services import block_user, unblock_user
from messaging import services
from messaging.models import Message
from rooms.services import create_room, open_direct_room
from tests.live import LiveServer, Person, Socket


@pytest.fixture
def direct(alice, bob):
    """The direct room of alice and bob."""
    return open_direct_room(alice, user_id=bob.id)[0]


class TestSendService:
    def test_neither_side_sends_until_the_block_is_taken_back(self, alice, bob, direct, say):
        say(alice, room=str(direct.id))
        block_user(bob, user_id=alice.id)
        for user in (alice, bob):
            with pytest.raises(Blocked):
                say(user, room=str(direct.id))
        assert Message.objects.count() == 1
        unblock_user(bob, user_id=alice.id)
        assert [say(user, room=str(direct.id)).seq for user in (alice, bob)] == [2, 3]

    def test_a_group_takes_messages_of_both(self, alice, bob, room, say):
        block_user(bob, user_id=alice.id)
        assert [say(user).seq for user in (alice, bob)] == [1, 2]

    def test_a_repeat_of_what_was_sent_before_is_that_message(self, alice, bob, direct, say, draft_of):
        first = say(alice, room=str(direct.id), client_message_id="c-1")
        block_user(bob, user_id=alice.id)
        repeat = services.send_message(draft_of(alice, room=str(direct.id), client_message_id="c-1"))
        assert (repeat.message.id, repeat.duplicate) == (first.id, True)

    def test_a_stranger_is_told_of_no_block(self, alice, bob, charlie, direct, say):
        block_user(bob, user_id=alice.id)
        with pytest.raises(NotFound):
            say(charlie, room=str(direct.id))

    def test_others_in_the_same_batch_are_not_held_up(self, alice, bob, charlie, direct, room, draft_of):
        other = open_direct_room(alice, user_id=charlie.id)[0]
        block_user(bob, user_id=alice.id)
        to = [(alice, direct), (alice, other), (bob, direct), (bob, room), (charlie, other)]
        outcomes = services.send_messages([draft_of(user, room=str(where.id)) for user, where in to])
        assert [type(outcome) for outcome in outcomes] == [
            Blocked,
            services.Sent,
            Blocked,
            services.Sent,
            services.Sent,
        ]

    def test_a_batch_asks_once_whatever_its_size_and_only_for_direct_rooms(self, alice, room, draft_of):
        people = [User.objects.create_user(f"user{n}", f"user{n}@example.com") for n in range(30)]
        rooms = [open_direct_room(alice, user_id=person.id)[0] for person in people]
        groups = [create_room(alice, name="R", member_ids=[person.id]) for person in people]

        def asked(where):
            drafts = [draft_of(person, room=str(to.id)) for person, to in zip(people, where, strict=False)]
            with CaptureQueriesContext(connection) as queries:
                assert all(isinstance(sent, services.Sent) for sent in services.send_messages(drafts))
            return sum("friendships_block" in query["sql"] for query in queries)

        assert [asked(rooms[:1]), asked(rooms), asked(groups)] == [1, 1, 0]

    @pytest.mark.django_db(transaction=True)
    def test_of_a_block_and_a_send_at_once_the_next_send_is_refused(self, alice, bob, direct, say, race):
        for turn in range(10):
            blocked, _ = race(
                lambda: block_user(bob, user_id=alice.id),
                lambda turn=turn: say(alice, str(turn), room=str(direct.id)),
            )
            assert blocked is None
            with pytest.raises(Blocked):
                say(alice, room=str(direct.id))
            unblock_user(bob, user_id=alice.id)


class TestSendApi:
    def test_both_sides_get_the_same_403(self, alice, bob, direct, client_of):
        block_user(alice, user_id=bob.id)
        bodies = []
        for user in (alice, bob):
            answer = client_of(user).post(f"/api/v1/rooms/{direct.id}/messages", {"content": "Hi"})
            assert answer.status_code == 403
            bodies.append(answer.json() | {"request_id": ""})
        assert bodies[0] == bodies[1]
        assert (bodies[0]["code"], bodies[0]["retryable"]) == ("blocked", False)

    def test_the_history_stays_readable(self, alice, bob, direct, say, client_of):
        say(alice, room=str(direct.id))
        block_user(alice, user_id=bob.id)
        for user in (alice, bob):
            answer = client_of(user).get(f"/api/v1/rooms/{direct.id}/messages")
            assert [message["content"] for message in answer.json()["results"]] == ["Hi"]


class TestMarkerService:
    def test_it_is_saved_and_the_block_asked_for_in_direct_rooms_only(self, alice, bob, direct, room, say):
        for where in (direct, room):
            say(alice, room=str(where.id))
        block_user(alice, user_id=bob.id)
        for mark in (services.mark_read, services.mark_delivered):
            asked = []
            for where in (direct, room):
                with CaptureQueriesContext(connection) as queries:
                    mark(bob.id, str(where.id), seq=1)
                asked.append(sum("friendships_block" in query["sql"] for query in queries))
            assert asked == [1, 0]
        read = direct.memberships.get(user=bob)
        assert (read.last_read_seq, read.last_delivered_seq) == (1, 1)


@pytest.fixture
def two_servers(
    running: Callable[[str], LiveServer], transactional_db: None
) -> tuple[LiveServer, LiveServer]:
    """Two processes; without Redis there can be only one, which is both."""
    first, second = ("uvicorn", "daphne") if settings.REDIS_URLS else ("uvicorn", "uvicorn")
    return running(first), running(second)


async def settled(*sockets: Socket) -> None:
    """What is not kept reaches a connection that follows its rooms: a little after `ready`, before the first answer."""
    for socket in sockets:
        await socket.until("ready")
        await socket.ask("ping")


async def types_until(socket: Socket, content: str) -> list[str]:
    """The types of what comes up to that message, but for messages and answers."""
    socket.frames.clear()
    await socket.until("message", content=content)
    return [frame["type"] for frame in socket.frames if frame["type"] not in ("message", "ack", "pong")]


class TestFrame:
    """Alice on one process blocks bob, who is on another; charlie shares a group with both."""

    async def test_a_send_is_refused_to_both_at_once(self, two_servers: tuple[LiveServer, ...]) -> None:
        alice, bob = Person(two_servers[0], "alice"), Person(two_servers[1], "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as hers, bob.socket() as his:
            await settled(hers, his)
            message = {"room_id": room, "content": "Hi", "client_message_id": "c-1"}
            for socket in (hers, his):
                assert (await socket.ask("message", message))["type"] == "ack"
            assert alice.call("PUT", f"/blocks/{bob.id}").status_code == 204
            errors = []
            for socket in (hers, his):
                refused = await socket.ask("message", {**message, "client_message_id": "c-2"})
                assert refused["type"] == "error"
                errors.append(refused["data"])
            assert errors[0] == errors[1]
            assert (errors[0]["code"], errors[0]["retryable"]) == ("blocked", False)
            assert alice.call("DELETE", f"/blocks/{bob.id}").status_code == 204
            assert (await his.ask("message", {**message, "client_message_id": "c-2"}))["data"]["seq"] == 3

    async def test_typing_reaches_the_others_in_a_group_and_neither_of_the_two(
        self, two_servers: tuple[LiveServer, ...]
    ) -> None:
        first, second = two_servers
        alice, bob, charlie = Person(first, "alice"), Person(second, "bob"), Person(second, "charlie")
        group = alice.group(bob, charlie)
        async with alice.socket() as hers, bob.socket() as his, charlie.socket() as others:
            await settled(hers, his, others)
            await hers.send("typing", {"room_id": group, "is_typing": False})
            await his.until("typing", user_id=alice.id)
            await others.until("typing", user_id=alice.id)
            alice.call("PUT", f"/blocks/{bob.id}")
            for typer, who, socket in ((alice, hers, his), (bob, his, hers)):
                await who.send("typing", {"room_id": group, "is_typing": True})
                await others.until("typing", user_id=typer.id)
                # What comes after it has come, so it would have come, too.
                await who.send("message", {"room_id": group, "content": f"of {typer.username}"})
                assert await types_until(socket, f"of {typer.username}") == []

    async def test_in_a_direct_room_nothing_of_the_one_reaches_the_other(
        self, two_servers: tuple[LiveServer, ...]
    ) -> None:
        alice, bob = Person(two_servers[0], "alice"), Person(two_servers[1], "bob")
        room, group = alice.direct_room_with(bob), alice.group(bob)
        for _ in range(2):
            alice.call("POST", f"/rooms/{room}/messages", json={"content": "Hi"})
        async with alice.socket() as hers, bob.socket() as phone, bob.socket() as laptop:
            await settled(hers, phone, laptop)
            for type_ in ("read", "delivered"):
                await phone.send(type_, {"room_id": room, "seq": 1})
                await hers.until(type_, user_id=bob.id, seq=1)
            alice.call("PUT", f"/blocks/{bob.id}")
            for type_, data in (
                ("typing", {"is_typing": True}),
                ("read", {"seq": 2}),
                ("delivered", {"seq": 2}),
            ):
                await phone.send(type_, {"room_id": room, **data})
            # My own devices go on sharing my markers.
            for type_ in ("read", "delivered"):
                await laptop.until(type_, user_id=bob.id, seq=2)
            await phone.send("message", {"room_id": group, "content": "after"})
            assert await types_until(hers, "after") == []
