"""No more than so many messages of one user: burst 40, then 20 a second, over both doors together."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from messaging.models import Message
from tests.live import LiveServer, Person, Socket


@pytest.fixture
def _small(settings: Settings) -> None:
    settings.MESSAGE_BURST, settings.MESSAGES_PER_SECOND = 3, 1


@pytest.mark.usefixtures("_small")
class TestApi:
    def test_the_one_too_many_gets_429_and_others_go_on(self, alice, bob, room, client_of):
        client = client_of(alice)
        codes = [
            client.post("/api/v1/rooms/kitchen/messages", {"content": "Hi"}).status_code for _ in range(4)
        ]
        assert codes == [201, 201, 201, 429]
        refused = client.post("/api/v1/rooms/kitchen/messages", {"content": "Hi"})
        assert refused.json()["code"] == "rate_limited"
        assert refused.json()["retryable"] is True
        assert int(refused["Retry-After"]) >= 1
        assert client_of(bob).post("/api/v1/rooms/kitchen/messages", {"content": "Hi"}).status_code == 201
        assert Message.objects.count() == 4


class TestFrame:
    async def test_a_flood_is_refused_beyond_the_burst_and_the_socket_lives(
        self, transactional_db: None
    ) -> None:
        server = LiveServer(MESSAGE_BURST="40", MESSAGES_PER_SECOND="20").start()
        try:
            alice, bob = Person(server, "alice"), Person(server, "bob")
            room = alice.direct_room_with(bob)
            async with alice.socket() as socket, bob.socket() as his:
                await socket.until("ready")
                await his.until("ready")
                for number in range(60):
                    await socket.send("message", {"room_id": room, "content": str(number)}, id=str(number))
                answers = {}
                while len(answers) < 60:
                    frame = await socket.receive()
                    if frame["type"] in ("ack", "error"):
                        answers[int(frame["id"])] = frame
                refused = [n for n, frame in answers.items() if frame["type"] == "error"]
                assert 1 <= len(refused) <= 20
                assert {answers[n]["data"]["code"] for n in refused} == {"rate_limited"}
                assert all(answers[n]["data"]["retry_after"] > 0 for n in refused)
                await his.send("message", {"room_id": room, "content": "me too"})
                assert (await his.until("ack"))["data"]["duplicate"] is False
        finally:
            server.close()

    async def refusal(self, socket: Socket, type_: str, data: dict[str, Any]) -> dict[str, Any]:
        """The first one: each second there is room for one more, and how many pass is the machine's affair."""
        for _ in range(20):
            answer = await socket.ask(type_, data)
            if answer["type"] == "error":
                return answer
        raise AssertionError(f"{type_} is never refused.")

    async def test_edits_deletions_and_reactions_are_counted_with_messages(
        self, transactional_db: None
    ) -> None:
        server = LiveServer(MESSAGE_BURST="30", MESSAGES_PER_SECOND="1").start()
        try:
            alice, bob = Person(server, "alice"), Person(server, "bob")
            room = alice.direct_room_with(bob)
            async with alice.socket() as socket:
                await socket.until("ready")
                sent = await socket.ask("message", {"room_id": room, "content": "Hi"})
                message = {"message_id": sent["data"]["message_id"]}
                thumb = message | {"emoji": "👍"}
                edit, delete = ("message.edit", message | {"content": "Ho"}), ("message.delete", message)
                for type_, data in [("reaction.add", thumb), ("reaction.remove", thumb)] * 13 + [edit]:
                    assert (await socket.ask(type_, data))["type"] == "ack"
                for type_, data in [("reaction.add", thumb), ("reaction.remove", thumb), edit, delete]:
                    refused = await self.refusal(socket, type_, data)
                    assert refused["data"]["code"] == "rate_limited"
                    assert refused["data"]["retry_after"] > 0
        finally:
            server.close()
