from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.errors import Forbidden, NotFound
from rooms import selectors, services
from rooms.models import Invite

pytestmark = pytest.mark.django_db

URL = "/api/v1/rooms/kitchen/invites"


def invite(actor, **fields):
    return services.create_invite(actor, room_key="kitchen", **fields)


class TestSelector:
    def test_only_those_are_there_that_let_somebody_in(self, alice, bob, room):
        open_ones = {invite(alice), invite(alice, expires_in=60, max_uses=2)}
        used_up, over = invite(alice, max_uses=1), invite(alice, expires_in=60)
        Invite.objects.filter(id=used_up.id).update(uses=1)
        Invite.objects.filter(id=over.id).update(expires_at=timezone.now() - timedelta(seconds=1))
        services.create_invite(bob, room_key=str(services.create_room(bob, name="Other").id))
        assert set(selectors.invites_of(alice, "kitchen")) == open_ones

    def test_they_are_for_admins(self, bob, charlie, dave, room):
        assert not selectors.invites_of(dave, "kitchen").exists()
        for viewer, error in ((bob, Forbidden), (charlie, NotFound)):
            with pytest.raises(error):
                selectors.invites_of(viewer, "kitchen")


class TestApi:
    def test_an_invite_is_shown_as_it_was_answered(self, alice, room, client_of):
        client = client_of(alice)
        made = client.post(URL, {"expires_in": 60}).json()
        assert client.get(URL).json()["results"] == [made]

    def test_pages_hold_every_invite_once_newest_first(self, alice, room, client_of):
        codes = [invite(alice).code for _ in range(5)]
        client, pages = client_of(alice), []
        pages.append(client.get(URL, {"limit": 2}).json())
        while cursor := pages[-1]["next_cursor"]:
            pages.append(client.get(URL, {"limit": 2, "cursor": cursor}).json())
        assert [len(page["results"]) for page in pages] == [2, 2, 1]
        assert [row["code"] for page in pages for row in page["results"]] == codes[::-1]

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

    def test_the_number_of_queries_does_not_grow_with_the_invites(self, alice, room, client_of):
        client, counts, made = client_of(alice), [], 0
        for size in (1, 10, 100):
            for _ in range(made, size):
                invite(alice)
            made = size
            with CaptureQueriesContext(connection) as queries:
                assert len(client.get(URL, {"limit": 100}).json()["results"]) == size
            counts.append(len(queries))
        # The session, the membership with its room, the invites.
        assert counts == [3, 3, 3]
