"""Where streams stand."""

from django.db import transaction

from eventlog import log
from eventlog.log import Draft
from eventlog.models import Stream


def test_the_newest_place_of_each(db):
    with transaction.atomic():
        streams = log.lock("room:a", "room:b", "user:c")
        streams.append(
            *[Draft(stream=name, type="message", data={}) for name in ("room:a", "room:a", "room:b")]
        )
    assert log.heads(["room:a", "room:b", "user:c"]) == {"room:a": 2, "room:b": 1, "user:c": 0}


def test_those_that_are_not_there_are_left_out(db):
    Stream.objects.create(name="room:a", head=4)
    assert log.heads(["room:a", "room:x", "room:A"]) == {"room:a": 4}


def test_none_asked_is_no_query(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert log.heads([]) == {}


def test_five_hundred_per_query(db, django_assert_num_queries):
    Stream.objects.bulk_create([Stream(name=f"room:{number}", head=number) for number in range(1001)])
    names = [f"room:{number}" for number in range(1001)]
    with django_assert_num_queries(3):
        assert log.heads(names) == {f"room:{number}": number for number in range(1001)}
