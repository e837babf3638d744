"""Sending over real sockets."""

from messaging.tests.test_send_messages_content import ODD_TEXTS
from tests.live import LiveServer, Person

MISSION_FRAME = (
    '{"type": "message", "data": {"room_id": "room-123", "content": "Hello world!", '
    '"file_url": "https://cloudinary.com/file.jpg"}}'
)


class TestFrame:
    async def test_the_missions_frame_reaches_the_others_and_is_acked(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.group(bob, slug="room-123")
        async with alice.socket() as mine, bob.socket() as theirs:
            await mine.until("ready")
            await theirs.until("ready")
            await mine.raw.send(MISSION_FRAME)
            ack = await mine.until("ack")
            event = await theirs.until("message")
        assert ack.keys() == {"type", "data"}
        assert ack["data"] == {
            "message_id": event["data"]["id"],
            "room_id": room,
            "seq": 1,
            "pos": 1,
            "client_message_id": None,
            "created_at": event["data"]["created_at"],
            "duplicate": False,
        }
        assert event.keys() == {"type", "stream", "pos", "ts", "data"}
        assert (event["stream"], event["pos"]) == (f"room:{room}", 1)
        shown = event["data"]
        assert (shown["room_slug"], shown["content"], shown["type"]) == ("room-123", "Hello world!", "image")
        assert shown["file_url"] == "https://cloudinary.com/file.jpg"
        assert bob.call("GET", f"/messages/{shown['id']}").json() | {"room_slug": "room-123"} == shown

    async def test_all_my_devices_get_it_and_a_stranger_nothing(self, each_server: LiveServer) -> None:
        alice, bob, charlie = (Person(each_server, name) for name in ("alice", "bob", "charlie"))
        room = alice.direct_room_with(bob)
        async with alice.socket() as phone, alice.socket() as laptop, charlie.socket() as stranger:
            for socket in (phone, laptop, stranger):
                await socket.until("ready")
            ack = await phone.ask("message", {"room_id": room, "content": "Hi"}, id="r-1")
            assert (ack["type"], ack["id"]) == ("ack", "r-1")
            if "message" not in [frame["type"] for frame in phone.frames]:
                await phone.until("message")  # the event and the ack come in either order
            assert (await laptop.until("message"))["data"]["content"] == "Hi"
            refused = await stranger.ask("message", {"room_id": room, "content": "Hi"})
            assert (refused["type"], refused["data"]["code"]) == ("error", "not_found")
            await stranger.nothing_for()

    async def test_what_one_sends_without_waiting_keeps_its_order(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as mine, bob.socket() as theirs:
            await mine.until("ready")
            await theirs.until("ready")
            for number in range(1, 61):
                await mine.send("message", {"room_id": room, "content": str(number)}, id=str(number))
            answers = [await mine.receive() for _ in range(120)]
            events = [await theirs.until("message") for _ in range(60)]
        acks = [(frame["id"], frame["data"]["seq"]) for frame in answers if frame["type"] == "ack"]
        assert acks == [(str(n), n) for n in range(1, 61)]
        assert [frame["pos"] for frame in answers if frame["type"] == "message"] == list(range(1, 61))
        assert [(event["data"]["content"], event["pos"]) for event in events] == [
            (str(n), n) for n in range(1, 61)
        ]

    async def test_text_reaches_the_others_exactly(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as mine, bob.socket() as theirs:
            await mine.until("ready")
            await theirs.until("ready")
            for text in ODD_TEXTS:
                await mine.send("message", {"room_id": room, "content": text})
                assert (await theirs.until("message"))["data"]["content"] == text

    async def test_a_bad_one_is_named_and_the_socket_stays_open(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.direct_room_with(bob)
        good = {"room_id": room, "content": "Hi", "client_message_id": "c-1"}
        bad = [
            ({"content": " "}, "validation_error", "content"),
            ({"content": "x" * 4001}, "validation_error", "content"),
            ({"content": 5}, "validation_error", "content"),
            ({"file_url": "http://cloudinary.com/a.png"}, "validation_error", "file_url"),
            ({"reply_to": "first"}, "validation_error", "reply_to"),
            ({"seq": 1}, "unknown_field", "seq"),
            ({"room_id": "attic"}, "not_found", None),
            ({"reply_to": room}, "not_found", None),
        ]
        async with alice.socket() as socket:
            await socket.until("ready")
            for change, code, attr in bad:
                frame = await socket.ask("message", good | change)
                assert (frame["type"], frame["data"]["code"]) == ("error", code)
                assert [error["attr"] for error in frame["data"]["errors"]] == ([attr] if attr else [])
                assert frame["data"]["request"] == {"type": "message", "client_message_id": "c-1"}
                assert frame["data"]["retryable"] is False
            for data, code in (({"content": "Hi"}, "validation_error"), ("Hi", "invalid_frame")):
                frame = await socket.ask("message", data)
                assert (frame["data"]["code"], frame["data"]["request"]) == (code, {"type": "message"})
            odd = await socket.ask("message", good | {"client_message_id": "with a blank"})
            assert (odd["data"]["code"], odd["data"]["errors"][0]["attr"]) == (
                "validation_error",
                "client_message_id",
            )
            assert (await socket.ask("message", good))["data"]["seq"] == 1

    async def test_the_same_id_twice_is_one_message(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.direct_room_with(bob)
        message = {"room_id": room, "content": "Hi", "client_message_id": "c-1"}
        async with alice.socket() as mine, bob.socket() as theirs:
            await mine.until("ready")
            await theirs.until("ready")
            first = await mine.ask("message", message)
            assert (first["data"]["seq"], first["data"]["duplicate"]) == (1, False)
            repeat = await mine.ask("message", message)
            assert repeat["data"] == first["data"] | {"duplicate": True}
            of_bob = await theirs.ask("message", message)
            assert (of_bob["data"]["seq"], of_bob["data"]["duplicate"]) == (2, False)
            other = await mine.ask("message", message | {"content": "Ho"})
            assert (other["type"], other["data"]["code"]) == ("error", "idempotency_conflict")
            assert other["data"]["request"] == {"type": "message", "client_message_id": "c-1"}
            assert (await mine.ask("message", {"room_id": room, "content": "Bye"}))["data"]["seq"] == 3
            await theirs.until("message", content="Bye")
        assert [frame["pos"] for frame in theirs.frames if frame["type"] == "message"] == [1, 2, 3]
