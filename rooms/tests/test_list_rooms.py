from datetime import timedelta

import pytest
from django.utils import timezone

from core.openapi.examples import example_of
from rooms import services
from rooms.models import Membership, Room
from rooms.signals import last_messages_asked
from tests.documented import document

pytestmark = pytest.mark.django_db


def _names(answer):
    return [room["name"] for room in answer.json()["results"]]


def _stir(room, *, minutes=0, last_seq=0):
    moment = timezone.now() + timedelta(minutes=minutes)
    Room.objects.filter(id=room.id).update(last_activity_at=moment, last_seq=last_seq)


class TestApi:
    def test_mine_come_latest_activity_first(self, alice, client_of):
        rooms = [services.create_room(alice, name=name) for name in "abc"]
        _stir(rooms[1], minutes=5)
        assert _names(client_of(alice).get("/api/v1/rooms")) == ["b", "c", "a"]

    def test_a_stranger_sees_none_of_them(self, room, charlie, client_of):
        answer = client_of(charlie).get("/api/v1/rooms")
        assert answer.json() == {"results": [], "next_cursor": None, "previous_cursor": None}

    def test_a_room_that_i_left_is_gone(self, bob, room, client_of):
        services.leave_room(bob, room_key="kitchen")
        assert _names(client_of(bob).get("/api/v1/rooms")) == []

    def test_unread_count_is_what_came_after_my_marker(self, alice, bob, room, client_of):
        _stir(room, last_seq=7)
        Membership.objects.filter(user=bob).update(last_read_seq=5)
        Membership.objects.filter(user=alice).update(last_read_seq=7)
        (for_bob,) = client_of(bob).get("/api/v1/rooms").json()["results"]
        (for_alice,) = client_of(alice).get("/api/v1/rooms").json()["results"]
        assert (for_bob["my"]["last_read_seq"], for_bob["my"]["unread_count"]) == (5, 2)
        assert for_alice["my"]["unread_count"] == 0

    def test_last_message_is_what_the_app_above_says_to_this_viewer(self, alice, room, client_of):
        asked, message = [], example_of({"$ref": "Message"}, document().root["components"]["schemas"])

        def answer(viewer, rooms, **_):
            asked.append((viewer, [room.id for room in rooms]))
            return {room.id: message for room in rooms}

        last_messages_asked.connect(answer)
        try:
            (shown,) = client_of(alice).get("/api/v1/rooms").json()["results"]
        finally:
            last_messages_asked.disconnect(answer)
        assert shown["last_message"] == message
        assert asked == [(alice, [room.id])]

    def test_type_keeps_one_kind(self, alice, bob, room, client_of):
        services.open_direct_room(alice, user_id=bob.id)
        client = client_of(alice)
        for kind in ("direct", "group"):
            found = client.get("/api/v1/rooms", {"type": kind}).json()["results"]
            assert [room["type"] for room in found] == [kind]

    def test_search_finds_part_of_a_name_and_the_peer_of_a_direct_room(
        self, alice, bob, charlie, room, client_of
    ):
        services.create_room(alice, name="100% bobsleigh")
        services.open_direct_room(alice, user_id=bob.id)
        services.open_direct_room(alice, user_id=charlie.id)
        client = client_of(alice)
        assert _names(client.get("/api/v1/rooms", {"search": "TCH"})) == ["Kitchen"]
        assert _names(client.get("/api/v1/rooms", {"search": "0% B"})) == ["100% bobsleigh"]
        assert _names(client.get("/api/v1/rooms", {"search": "%"})) == ["100% bobsleigh"]
        found = client.get("/api/v1/rooms", {"search": "BoB"}).json()["results"]
        assert [room["peer"] and room["peer"]["username"] for room in found] == ["bob", None]
        assert _names(client.get("/api/v1/rooms", {"search": "alice"})) == []
        assert len(_names(client.get("/api/v1/rooms", {"search": ""}))) == 4

    def test_unread_keeps_those_with_or_without_news(self, alice, bob, room, client_of):
        services.create_room(alice, name="Quiet", member_ids=[bob.id])
        _stir(room, last_seq=3)
        Membership.objects.filter(user=bob, room=room).update(last_read_seq=3)
        client = client_of(alice)
        assert _names(client.get("/api/v1/rooms", {"unread": "true"})) == ["Kitchen"]
        assert _names(client.get("/api/v1/rooms", {"unread": "false"})) == ["Quiet"]
        assert _names(client_of(bob).get("/api/v1/rooms", {"unread": "true"})) == []

    def test_pages_hold_every_room_once_there_and_back(self, alice, client_of):
        for name in "abcde":
            services.create_room(alice, name=name)
        client = client_of(alice)
        first = client.get("/api/v1/rooms", {"limit": 2})
        second = client.get("/api/v1/rooms", {"limit": 2, "cursor": first.json()["next_cursor"]})
        third = client.get("/api/v1/rooms", {"limit": 2, "cursor": second.json()["next_cursor"]})
        assert [_names(page) for page in (first, second, third)] == [["e", "d"], ["c", "b"], ["a"]]
        assert (first.json()["previous_cursor"], third.json()["next_cursor"]) == (None, None)
        back = client.get("/api/v1/rooms", {"limit": 2, "cursor": third.json()["previous_cursor"]})
        assert _names(back) == ["c", "b"]

    def test_activity_while_i_page_repeats_no_room_and_loses_no_quiet_one(self, alice, client_of):
        rooms = {name: services.create_room(alice, name=name) for name in "abcdef"}
        client = client_of(alice)
        page = client.get("/api/v1/rooms", {"limit": 2})
        seen = _names(page)
        # One that was shown, and one that was still to come, jump to the top.
        _stir(rooms["e"], minutes=1)
        _stir(rooms["c"], minutes=2)
        while page.json()["next_cursor"]:
            page = client.get("/api/v1/rooms", {"limit": 2, "cursor": page.json()["next_cursor"]})
            seen += _names(page)
        assert seen == ["f", "e", "d", "b", "a"]
        assert _names(client.get("/api/v1/rooms")) == ["c", "e", "f", "d", "b", "a"]

    def test_rooms_of_the_same_moment_keep_one_order(self, alice, client_of):
        for name in "abcde":
            services.create_room(alice, name=name)
        Room.objects.update(last_activity_at=timezone.now())
        client, seen, cursor = client_of(alice), [], {}
        while True:
            page = client.get("/api/v1/rooms", {"limit": 2, **cursor})
            seen += _names(page)
            if not page.json()["next_cursor"]:
                break
            cursor = {"cursor": page.json()["next_cursor"]}
        assert seen == ["e", "d", "c", "b", "a"]

    @pytest.mark.parametrize(
        "query",
        [
            {"type": "secret"},
            {"unread": "perhaps"},
            {"limit": "0"},
            {"limit": "101"},
            {"limit": "abc"},
            {"cursor": "forged"},
            {"search": "x" * 101},
        ],
    )
    def test_an_odd_parameter_is_400(self, alice, client_of, query):
        answer = client_of(alice).get("/api/v1/rooms", query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
        assert b"secret" not in answer.content

    def test_anonymous_gets_401(self, anonymous):
        assert anonymous.get("/api/v1/rooms").status_code == 401
