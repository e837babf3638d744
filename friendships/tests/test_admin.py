"""Staff look; nothing is changed by hand."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from friendships.models import Block, FriendRequest, Friendship
from friendships.services import block_user

REQUESTS = "/admin/friendships/friendrequest/"
FRIENDSHIPS = "/admin/friendships/friendship/"
BLOCKS = "/admin/friendships/block/"


@pytest.fixture
def staff(client, charlie):
    charlie.is_staff = charlie.is_superuser = True
    charlie.save()
    client.force_login(charlie)
    return client


def test_a_stranger_is_sent_to_the_login(client, alice, db):
    client.force_login(alice)
    for url in (REQUESTS, FRIENDSHIPS, BLOCKS):
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


def test_so_it_is_with_blocks(staff, alice, bob, charlie):
    block_user(alice, user_id=bob.id)
    few = queries_for(staff, BLOCKS)
    block_user(charlie, user_id=bob.id)
    assert queries_for(staff, BLOCKS) == few
    assert "bob" in staff.get(BLOCKS, {"q": "ALI"}).content.decode()
    assert staff.get(BLOCKS, {"q": "zoe"}).context["cl"].result_count == 0
    row = f"{BLOCKS}{Block.objects.first().pk}"
    assert staff.get(f"{row}/change/").status_code == 200
    assert staff.post(f"{row}/change/", {}).status_code == 403
    assert staff.post(f"{row}/delete/", {"post": "yes"}).status_code == 403


def queries_for(client, url):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)
