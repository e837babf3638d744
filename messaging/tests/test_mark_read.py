import pytest

from accounts.models import User
from core.errors import NotFound
from messaging import services
from messaging.schemas import ReadMarker
from rooms.models import Membership
from rooms.services import leave_room
from tests.live import LiveServer, Person, Socket

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rooms/kitchen/read"


@pytest.fixture
def five(alice, say):
    """Five messages of alice."""
    return [say(alice) for _ in range(5)]


@pytest.fixture
def marker_of():
    """How far a user has read, as the database has it now."""
    return lambda user: Membership.objects.get(user=user).last_read_seq


class TestService:
    def test_the_marker_moves_on(self, bob, five, marker_of):
        assert services.mark_read(bob.id, "kitchen", seq=3) == ReadMarker(last_read_seq=3, unread_count=2)
        assert marker_of(bob) == 3

    def test_it_never_moves_back(self, bob, five, marker_of):
        services.mark_read(bob.id, "kitchen", seq=4)
        for seq in (4, 2, 0):
            assert services.mark_read(bob.id, "kitchen", seq=seq) == ReadMarker(4, 1)
        assert marker_of(bob) == 4

    @pytest.mark.parametrize("seq", [6, 2**63 - 1])
    def test_it_never_moves_past_the_last_message(self, bob, five, marker_of, seq):
        assert services.mark_read(bob.id, "kitchen", seq=seq) == ReadMarker(5, 0)
        assert marker_of(bob) == 5

    def test_an_empty_room_has_nothing_to_read(self, bob, room):
        assert services.mark_read(bob.id, "kitchen", seq=7) == ReadMarker(0, 0)

    def test_it_is_mine_alone(self, alice, bob, five, marker_of):
        services.mark_read(bob.id, "kitchen", seq=2)
        assert (marker_of(alice), marker_of(bob)) == (5, 2)

    def test_nothing_is_kept_in_the_log(self, bob, five, room, events_of):
        services.mark_read(bob.id, "kitchen", seq=3)
        assert [frame["type"] for frame in events_of(room.stream)] == ["message"] * 5

    def test_a_stranger_and_one_who_left_find_no_room(self, bob, charlie, five, marker_of):
        leave_room(bob, room_key="kitchen")
        for user in (bob, charlie):
            with pytest.raises(NotFound):
                services.mark_read(user.id, "kitchen", seq=3)
        assert marker_of(bob) == 0

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_the_furthest_stays(self, bob, five, marker_of, race):
        for _ in range(10):
            Membership.objects.filter(user=bob).update(last_read_seq=0)
            outcomes = race(
                *(lambda seq=seq: services.mark_read(bob.id, "kitchen", seq=seq) for seq in (2, 5, 1, 4))
            )
            assert marker_of(bob) == 5
            assert all(
                outcome.last_read_seq >= seq for outcome, seq in zip(outcomes, (2, 5, 1, 4), strict=True)
            )

    def test_three_queries_do_it_and_two_where_nobody_is_told(self, bob, five, django_assert_num_queries):
        with django_assert_num_queries(3):
            services.mark_read(bob.id, "kitchen", seq=3)
        User.objects.filter(id=bob.id).update(read_receipts=False)
        with django_assert_num_queries(2):
            services.mark_read(bob.id, "kitchen", seq=4)


class TestApi:
    def test_the_marker_is_answered_and_the_list_of_rooms_shows_it(self, bob, five, client_of):
        client = client_of(bob)

        def my():
            return client.get("/api/v1/rooms").json()["results"][0]["my"]

        assert (my()["last_read_seq"], my()["unread_count"]) == (0, 5)
        answer = client.put(PATH, {"seq": 3})
        assert (answer.status_code, answer.json()) == (200, {"last_read_seq": 3, "unread_count": 2})
        assert (my()["last_read_seq"], my()["unread_count"]) == (3, 2)
        assert client.put(PATH, {"seq": 1}).json() == {"last_read_seq": 3, "unread_count": 2}
        assert client.put(PATH, {"seq": 99}).json() == {"last_read_seq": 5, "unread_count": 0}
        assert my()["unread_count"] == 0

    def test_to_answer_is_to_have_read(self, bob, five, say, client_of):
        say(bob)
        (room,) = client_of(bob).get("/api/v1/rooms").json()["results"]
        assert (room["my"]["last_read_seq"], room["my"]["unread_count"]) == (6, 0)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "validation_error"),
            ({"seq": None}, "validation_error"),
            ({"seq": -1}, "validation_error"),
            ({"seq": 2**63}, "validation_error"),
            ({"seq": 1.5}, "validation_error"),
            ({"seq": "x"}, "validation_error"),
            ({"seq": True}, "validation_error"),
            ({"seq": [1]}, "validation_error"),
            ({"seq": 1, "user_id": "x"}, "unknown_field"),
        ],
    )
    def test_an_odd_body_is_400(self, bob, five, client_of, body, code):
        answer = client_of(bob).put(PATH, body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)

    def test_a_stranger_gets_404(self, charlie, five, client_of):
        answer = client_of(charlie).put(PATH, {"seq": 1})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_anonymous_gets_401(self, five, anonymous):
        assert anonymous.put(PATH, {"seq": 1}).status_code == 401


async def _settle(*sockets: Socket) -> None:
    """What is not kept reaches a connection that follows its rooms: a little after `ready`, before the first answer."""
    for socket in sockets:
        await socket.until("ready")
        await socket.ask("ping")


class TestFrame:
    async def test_the_others_and_my_other_device_are_told_and_it_is_not_kept(
        self, each_server: LiveServer
    ) -> None:
        alice, bob, charlie = (Person(each_server, name) for name in ("alice", "bob", "charlie"))
        room = alice.direct_room_with(bob)
        for number in range(3):
            alice.call("POST", f"/rooms/{room}/messages", json={"content": str(number)})
        async with (
            alice.socket() as hers,
            bob.socket() as phone,
            bob.socket() as laptop,
            charlie.socket() as stranger,
        ):
            await _settle(hers, phone, laptop, stranger)
            ack = await phone.ask("read", {"room_id": room, "seq": 2})
            assert (ack["type"], ack["data"]) == ("ack", {"last_read_seq": 2, "unread_count": 1})
            for socket in (hers, laptop):
                frame = await socket.until("read")
                assert frame.keys() == {"type", "stream", "ts", "data"}
                assert frame["stream"] == f"room:{room}"
                assert frame["data"] == {"room_id": room, "user_id": bob.id, "seq": 2}
            bob.call("PUT", f"/rooms/{room}/read", json={"seq": 99})
            assert (await hers.until("read"))["data"]["seq"] == 3
            for seq in (3, 1):  # nothing moves, nobody is told
                ack = await phone.ask("read", {"room_id": room, "seq": seq})
                assert ack["data"] == {"last_read_seq": 3, "unread_count": 0}
            await hers.nothing_for()
            refused = await stranger.ask("read", {"room_id": room, "seq": 1})
            assert (refused["type"], refused["data"]["code"]) == ("error", "not_found")
            await stranger.nothing_for()
            await hers.send("resume", {"cursors": {f"room:{room}": 0}})
            hers.frames.clear()
            await hers.until("resumed")
        assert [frame["type"] for frame in hers.frames] == ["message"] * 3 + ["resumed"]

    async def test_without_an_id_nothing_is_answered_but_an_error(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as socket:
            await socket.until("ready")
            await socket.send("read", {"room_id": room, "seq": 0})
            await socket.ask("ping")
            assert [frame["type"] for frame in socket.frames] == ["ready", "pong"]
            for data, code in (
                ({"room_id": room, "seq": -1}, "validation_error"),
                ({"room_id": room, "seq": 2**63}, "validation_error"),
                ({"room_id": room, "seq": "1"}, "validation_error"),
                ({"room_id": room, "seq": True}, "validation_error"),
                ({"room_id": room}, "validation_error"),
                ({"room_id": room, "seq": 1, "user_id": "x"}, "unknown_field"),
                ({"room_id": "attic", "seq": 1}, "not_found"),
            ):
                await socket.send("read", data)
                error = await socket.until("error")
                assert (error["data"]["code"], error["data"]["request"]) == (code, {"type": "read"})

    @pytest.mark.parametrize("kind", ["direct", "group"])
    async def test_without_read_receipts_mine_are_for_my_devices_and_those_of_others_not_for_me(
        self, each_server: LiveServer, kind: str
    ) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.direct_room_with(bob) if kind == "direct" else alice.group(bob)
        for number in range(4):
            alice.call("POST", f"/rooms/{room}/messages", json={"content": str(number)})
        async with alice.socket() as hers, bob.socket() as phone, bob.socket() as laptop:
            await _settle(hers, phone, laptop)
            switch_to = {"settings": {"read_receipts": False}}
            assert bob.call("PATCH", "/users/me", json=switch_to).status_code == 200
            await phone.send("read", {"room_id": room, "seq": 1})
            for socket in (phone, laptop):
                frame = await socket.until("read")
                assert (frame["stream"], frame["data"]["user_id"]) == (f"room:{room}", bob.id)
            bob.call("PUT", f"/rooms/{room}/read", json={"seq": 2})
            assert (await laptop.until("read"))["data"]["seq"] == 2
            await phone.until("read")
            # `delivered` is told as before; it comes after the other frames.
            await phone.send("delivered", {"room_id": room, "seq": 2})
            assert [await types_until(socket, "delivered") for socket in (hers, phone, laptop)] == [
                [],
                [],
                [],
            ]

            alice.call("POST", f"/rooms/{room}/messages", json={"content": "4"})
            bob.call("POST", f"/rooms/{room}/messages", json={"content": "5"})
            await hers.send("read", {"room_id": room, "seq": 6})
            assert (await hers.until("read"))["data"]["user_id"] == alice.id
            await hers.send("delivered", {"room_id": room, "seq": 6})
            assert [await types_until(socket, "delivered") for socket in (phone, laptop)] == [[], []]

            bob.call("PATCH", "/users/me", json={"settings": {"read_receipts": True}})
            alice.call("POST", f"/rooms/{room}/messages", json={"content": "6"})
            await phone.send("read", {"room_id": room, "seq": 7})
            assert (await hers.until("read"))["data"] == {"room_id": room, "user_id": bob.id, "seq": 7}


async def types_until(socket: Socket, type_: str) -> list[str]:
    """The types of the frames up to the next of `type_` that are of markers."""
    seen = len(socket.frames)
    await socket.until(type_)
    return [frame["type"] for frame in socket.frames[seen:-1] if frame["type"] in ("read", "delivered")]
