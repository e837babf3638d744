from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from core.errors import Forbidden, NotFound
from rooms import selectors, services
from rooms.models import Ban

pytestmark = pytest.mark.django_db

URL = "/api/v1/rooms/kitchen/bans"


def crowd(first, last):
    return [User.objects.create_user(f"user{n:03}", f"user{n}@example.com") for n in range(first, last)]


def ban(actor, *users):
    for user in users:
        services.ban_user(actor, room_key="kitchen", user_id=user.id)


def names(answer):
    return [row["user"]["username"] for row in answer.json()["results"]]


class TestSelector:
    def test_those_of_other_rooms_and_those_that_ran_out_are_not_there(self, alice, bob, charlie, room):
        ban(alice, bob, charlie)
        other = services.create_room(alice, name="Other")
        services.ban_user(alice, room_key=str(other.id), user_id=bob.id)
        Ban.objects.filter(user=charlie).update(expires_at=timezone.now() - timedelta(seconds=1))
        assert [row.user for row in selectors.bans_of(alice, "kitchen")] == [bob]

    def test_they_are_for_admins(self, bob, charlie, dave, room):
        assert not selectors.bans_of(dave, "kitchen").exists()
        for viewer, error in ((bob, Forbidden), (charlie, NotFound)):
            with pytest.raises(error):
                selectors.bans_of(viewer, "kitchen")

    def test_a_direct_room_has_none(self, alice, bob):
        direct, _ = services.open_direct_room(alice, user_id=bob.id)
        with pytest.raises(Forbidden):
            selectors.bans_of(alice, str(direct.id))


class TestApi:
    def test_a_ban_is_shown_as_it_was_answered(self, alice, bob, room, client_of):
        client = client_of(alice)
        made = client.put(f"{URL}/{bob.id}", {"reason": "Spam"}).json()
        assert client.get(URL).json()["results"] == [made]

    def test_pages_hold_every_ban_once_newest_first(self, alice, room, client_of):
        ban(alice, *crowd(0, 5))
        client, pages = client_of(alice), []
        pages.append(client.get(URL, {"limit": 2}))
        while cursor := pages[-1].json()["next_cursor"]:
            pages.append(client.get(URL, {"limit": 2, "cursor": cursor}))
        assert [names(page) for page in pages] == [
            ["user004", "user003"],
            ["user002", "user001"],
            ["user000"],
        ]

    @pytest.mark.parametrize("query", [{"limit": "0"}, {"cursor": "forged"}])
    def test_an_odd_parameter_is_400(self, alice, room, client_of, query):
        answer = client_of(alice).get(URL, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_refusals_tell_which(self, bob, charlie, room, client_of):
        answers = [client_of(user).get(URL) for user in (bob, charlie)]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (403, "forbidden"),
            (404, "not_found"),
        ]

    def test_anonymous_gets_401(self, room, anonymous):
        assert anonymous.get(URL).status_code == 401

    def test_the_number_of_queries_does_not_grow_with_the_bans(self, alice, room, client_of):
        client, counts, made = client_of(alice), [], 0
        for size in (1, 10, 100):
            ban(alice, *crowd(made, size))
            made = size
            with CaptureQueriesContext(connection) as queries:
                assert len(names(client.get(URL, {"limit": 100}))) == size
            counts.append(len(queries))
        # The session, the membership with its room, the bans with their users.
        assert counts == [3, 3, 3]
