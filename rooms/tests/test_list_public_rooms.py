"""GET /rooms/public: what one may join."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.services import Draft, send_message
from rooms import selectors, services
from rooms.models import Ban, Room

pytestmark = pytest.mark.django_db

URL = "/api/v1/rooms/public"


@pytest.fixture
def hall(alice, bob):
    return services.create_room(
        alice, name="Town hall", slug="hall", visibility="public", member_ids=[bob.id]
    )


def names(answer):
    return [room["name"] for room in answer.json()["results"]]


class TestSelector:
    def test_only_what_one_may_join_is_there(self, alice, bob, charlie, hall, room):
        services.open_direct_room(alice, user_id=bob.id)
        assert list(selectors.rooms_to_join(charlie)) == [hall]
        assert not selectors.rooms_to_join(bob).exists()

    @pytest.mark.parametrize("state", ["locked", "archived", "deleted"])
    def test_closed_rooms_are_not_there(self, charlie, hall, state):
        Room.objects.update(state=state)
        assert not selectors.rooms_to_join(charlie).exists()

    def test_a_room_that_bans_me_is_not_there_until_the_ban_ends(self, alice, bob, charlie, hall):
        services.ban_user(alice, room_key="hall", user_id=charlie.id)
        services.leave_room(bob, room_key="hall")
        assert not selectors.rooms_to_join(charlie).exists()
        assert list(selectors.rooms_to_join(bob)) == [hall]
        Ban.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert list(selectors.rooms_to_join(charlie)) == [hall]


class TestApi:
    def test_a_room_is_shown_without_what_is_said_in_it(self, bob, charlie, hall, client_of):
        send_message(Draft(sender_id=bob.id, room="hall", content="Members only"))
        answer = client_of(charlie).get(URL)
        assert answer.status_code == 200
        (shown,) = answer.json()["results"]
        assert (shown["id"], shown["slug"], shown["member_count"]) == (str(hall.id), "hall", 2)
        assert (shown["my"], shown["peer"], shown["last_message"]) == (None, None, None)
        assert b"Members only" not in answer.content

    def test_search_finds_part_of_a_name(self, alice, charlie, hall, client_of):
        services.create_room(alice, name="100% cooks", visibility="public")
        client = client_of(charlie)
        for search, found in (
            ("TOWN", ["Town hall"]),
            ("0% c", ["100% cooks"]),
            ("%", ["100% cooks"]),
            (" hall ", ["Town hall"]),
            ("_", []),
            ("", ["100% cooks", "Town hall"]),
        ):
            assert names(client.get(URL, {"search": search})) == found

    def test_pages_hold_every_room_once_there_and_back(self, alice, charlie, client_of):
        for name in "abcde":
            services.create_room(alice, name=name, visibility="public")
        client = client_of(charlie)
        pages = [client.get(URL, {"limit": 2})]
        while cursor := pages[-1].json()["next_cursor"]:
            pages.append(client.get(URL, {"limit": 2, "cursor": cursor}))
        assert [names(page) for page in pages] == [["e", "d"], ["c", "b"], ["a"]]
        back = client.get(URL, {"limit": 2, "cursor": pages[-1].json()["previous_cursor"]})
        assert names(back) == ["c", "b"]

    @pytest.mark.parametrize(
        "query", [{"limit": "0"}, {"limit": "101"}, {"cursor": "forged"}, {"search": "x" * 101}]
    )
    def test_an_odd_parameter_is_400(self, charlie, client_of, query):
        answer = client_of(charlie).get(URL, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_anonymous_gets_401(self, hall, anonymous):
        assert anonymous.get(URL).status_code == 401

    def test_the_number_of_queries_does_not_grow_with_the_rooms(self, alice, charlie, client_of):
        client, counts, made = client_of(charlie), [], 0
        for size in (1, 10, 100):
            for number in range(made, size):
                room = services.create_room(alice, name=f"Room {number}", visibility="public")
                send_message(Draft(sender_id=alice.id, room=str(room.id), content="Hi"))
            made = size
            with CaptureQueriesContext(connection) as queries:
                assert len(names(client.get(URL, {"limit": 100}))) == size
            counts.append(len(queries))
        assert len(set(counts)) == 1
