"""GET /sync: what a fresh client shows, with the cursors of the same moment."""

from __future__ import annotations

import json
from threading import Event as Flag
from threading import Thread

import pytest
from django.db import connection

from eventlog.log import room_stream, user_stream
from messaging import services
from messaging.models import Message
from rooms.services import create_room
from tests.live import LiveServer, Person

SYNC = "/api/v1/sync"


class TestApi:
    def test_it_has_me_my_rooms_and_the_heads_of_my_streams(self, alice, bob, room, say, client_of):
        say(bob, "one")
        say(bob, "two")
        body = client_of(alice).get(SYNC).json()
        assert body["user"]["id"] == str(alice.id)
        assert [found["slug"] for found in body["rooms"]] == ["kitchen"]
        assert body["rooms"][0]["last_message"]["content"] == "two"
        assert body["streams"] == {user_stream(alice.id): 1, room_stream(room.id): 2}
        assert body["unread_total"] == 2
        assert body["next_cursor"] is None

    def test_someone_without_a_room_gets_an_empty_one(self, charlie, client_of):
        body = client_of(charlie).get(SYNC).json()
        assert (body["rooms"], body["unread_total"]) == ([], 0)
        assert body["streams"] == {user_stream(charlie.id): 0}

    def test_pages_hold_each_room_once_and_the_own_stream_on_the_first(self, alice, client_of):
        for number in range(5):
            create_room(alice, name=f"Room {number}")
        client, names, streams = client_of(alice), [], []
        cursor = None
        while cursor or not names:
            page = client.get(SYNC, {"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
            names += [found["name"] for found in page["rooms"]]
            streams.append(user_stream(alice.id) in page["streams"])
            cursor = page["next_cursor"]
        assert names == [f"Room {number}" for number in range(5)]
        assert streams == [True, False, False]

    def test_a_strangers_has_nothing_of_ours(self, charlie, room, client_of):
        assert client_of(charlie).get(SYNC).json()["rooms"] == []

    def test_anonymous_gets_401(self, anonymous):
        assert anonymous.get(SYNC).status_code == 401

    @pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "1e9"}, {"cursor": "forged"}])
    def test_odd_parameters_get_400(self, alice, client_of, query):
        assert client_of(alice).get(SYNC, query).json()["code"] == "invalid_parameter"

    @pytest.mark.django_db(transaction=True)
    def test_state_and_cursors_are_of_one_moment_while_messages_come(self, alice, bob, room, client_of):
        """A room's `last_seq` and its stream's head move together: here every event is a message."""
        client, enough = client_of(alice), Flag()

        def send():
            try:
                while not enough.is_set():
                    services.send_message(services.Draft(sender_id=bob.id, room="kitchen", content="Hi"))
            finally:
                connection.close()

        sender = Thread(target=send)
        sender.start()
        try:
            looks = 0
            while looks < 60 or Message.objects.count() <= 10:
                looks += 1
                body = client.get(SYNC).json()
                (found,) = body["rooms"]
                assert found["last_seq"] == body["streams"][room_stream(room.id)]
                assert body["unread_total"] == found["my"]["unread_count"] == found["last_seq"]
                assert (found["last_message"] or {"seq": 0})["seq"] == found["last_seq"]
        finally:
            enough.set()
            sender.join()


class TestFrame:
    async def test_resuming_from_its_cursors_misses_nothing(self, server: LiveServer) -> None:
        alice, bob = Person(server, "alice"), Person(server, "bob")
        room = alice.direct_room_with(bob)
        snapshot = alice.call("GET", "/sync").json()
        bob.call("POST", f"/rooms/{room}/messages", json={"content": "in between"})
        async with alice.socket() as socket:
            await socket.until("ready")
            await socket.send("resume", {"cursors": snapshot["streams"]})
            message = await socket.until("message")
            resumed = await socket.until("resumed")
        assert message["data"]["content"] == "in between"
        assert message["pos"] == snapshot["streams"][f"room:{room}"] + 1
        assert json.dumps(resumed["data"]["denied"]) == "[]"
