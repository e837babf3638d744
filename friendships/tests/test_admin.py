"""Staff look; nothing is changed by hand."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from friendships.models import FriendRequest, Friendship

REQUESTS = "/admin/friendships/friendrequest/"
FRIENDSHIPS = "/admin/friendships/friendship/"


@pytest.fixture
def staff(client, charlie):
    charlie.is_staff = charlie.is_superuser = True
    charlie.save()
    client.force_login(charlie)
    return client


def test_a_stranger_is_sent_to_the_login(client, alice, db):
    client.force_login(alice)
    for url in (REQUESTS, FRIENDSHIPS):
        assert client.get(url).status_code == 302


def test_staff_find_rows_by_user_name(staff, alice, bob, befriend):
    befriend(alice, bob)
    for url in (REQUESTS, FRIENDSHIPS):
        assert "bob" in staff.get(url, {"q": "ALI"}).content.decode()
        assert staff.get(url, {"q": "zoe"}).context["cl"].result_count == 0


def test_a_row_can_be_looked_at_but_not_changed(staff, alice, bob, befriend):
    befriend(alice, bob)
    rows = ((REQUESTS, FriendRequest.objects.get()), (FRIENDSHIPS, Friendship.objects.first()))
    for url, row in rows:
        assert staff.get(f"{url}{row.pk}/change/").status_code == 200
        assert staff.post(f"{url}{row.pk}/change/", {}).status_code == 403
        assert staff.post(f"{url}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert staff.get(f"{url}add/").status_code == 403


def test_the_number_of_queries_does_not_grow(staff, alice, bob, charlie, befriend):
    befriend(alice, bob)
    few = [queries_for(staff, url) for url in (REQUESTS, FRIENDSHIPS)]
    befriend(alice, charlie)
    befriend(bob, charlie)
    assert [queries_for(staff, url) for url in (REQUESTS, FRIENDSHIPS)] == few


def queries_for(client, url):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)
