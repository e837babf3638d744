"""Keyset pages, of users since core has no table."""

from itertools import chain
from types import SimpleNamespace

import pytest
from django.core import signing
from django.http import QueryDict

from accounts.models import User
from core.errors import InvalidParameter
from core.pagination import Keyset

LIST = Keyset("things", order=("-display_name", "username_key"))
OTHER = Keyset("other_things", order=LIST.order)


def page(query="", *, keyset=LIST, rows=None):
    request = SimpleNamespace(query_params=QueryDict(query))
    rows = User.objects.all() if rows is None else rows
    return keyset.page(request, rows, lambda users: [user.username for user in users])


def add(name, display_name=""):
    return User.objects.create_user(name, f"{name}@example.com", display_name=display_name)


@pytest.fixture
def seven(db):
    """Five of one display name, so that the second column decides; then two of a lesser one."""
    for name in "edcba":
        add(name, "Z")
    for name in "gf":
        add(name, "Y")


def test_one_page_has_no_neighbours(seven):
    found = page()
    assert found.results == list("abcdefg")
    assert (found.next_cursor, found.previous_cursor) == (None, None)


def test_no_rows_are_an_empty_page(db):
    found = page()
    assert (found.results, found.next_cursor, found.previous_cursor) == ([], None, None)


def test_a_full_last_page_has_no_next(seven):
    first = page("limit=7")
    assert first.next_cursor is None


@pytest.mark.parametrize("limit", range(1, 8))
def test_forwards_and_backwards_meet_every_row_once(seven, limit):
    seen, found = [], page(f"limit={limit}")
    while True:
        seen.append(found.results)
        if found.next_cursor is None:
            break
        found = page(f"limit={limit}&cursor={found.next_cursor}")
    assert list(chain(*seen)) == list("abcdefg")
    back = []
    while found.previous_cursor is not None:
        found = page(f"limit={limit}&cursor={found.previous_cursor}")
        back = found.results + back
    assert back == list("abcdefg")[: len(list(chain(*seen[:-1])))]
    assert found.next_cursor is not None or len(seen) == 1


def test_pages_are_stable_while_rows_come_and_go(seven):
    first = page("limit=3")
    assert first.results == list("abc")
    add("a0", "Z")
    add("c0", "Z")
    User.objects.filter(username__in=["c", "d"]).delete()
    second = page(f"limit=3&cursor={first.next_cursor}")
    assert second.results == ["c0", "e", "f"]
    assert page(f"limit=9&cursor={second.previous_cursor}").results == ["a", "a0", "b"]


def test_the_filter_still_holds_on_later_pages(seven):
    first = page("limit=1")
    rows = User.objects.exclude(username="b")
    assert page(f"limit=1&cursor={first.next_cursor}", rows=rows).results == ["c"]


def test_times_and_ids_survive_a_cursor(seven):
    newest_first = Keyset("newest", order=("-created_at", "-id"))
    first = page("limit=4", keyset=newest_first)
    second = page(f"limit=4&cursor={first.next_cursor}", keyset=newest_first)
    assert first.results + second.results == list("fgabcde")


@pytest.mark.parametrize(
    "limit", ["1e9", "1000000000", "101", "0", "-1", "abc", "", "1.5", "9" * 5000, "\x00"]
)
def test_an_odd_limit_is_refused(db, limit):
    with pytest.raises(InvalidParameter) as caught:
        page(f"limit={limit}")
    assert [rule.attr for rule in caught.value.errors] == ["limit"]


@pytest.mark.parametrize("cursor", ["", "x", "a:b:c", "é😀", "%00", "x" * 501, "W10:1abc:x", "::"])
def test_a_forged_cursor_is_refused(db, cursor):
    with pytest.raises(InvalidParameter):
        page(f"cursor={cursor}")


def test_a_changed_cursor_is_refused(seven):
    cursor = page("limit=2").next_cursor
    _, _, signature = cursor.split(":")
    for changed in (cursor[:-1], "W10" + cursor, f"W10:1abcde:{signature}"):
        with pytest.raises(InvalidParameter):
            page(f"cursor={changed}")


def test_a_cursor_of_another_list_is_refused(seven):
    cursor = page("limit=2").next_cursor
    with pytest.raises(InvalidParameter):
        page(f"cursor={cursor}", keyset=OTHER)


def test_a_signature_for_something_else_is_no_cursor(db):
    with pytest.raises(InvalidParameter):
        page(f"cursor={signing.dumps([False, 'Z', 'b'], salt='elsewhere')}")


def test_a_page_is_one_query(seven, django_assert_num_queries):
    cursor = page("limit=2").next_cursor
    with django_assert_num_queries(1):
        page(f"limit=2&cursor={cursor}")
