"""Reading a stream back."""

import pytest
from django.db import transaction

from eventlog import log
from eventlog.log import Draft


@pytest.fixture
def seven(db):
    """Seven events of room:a, with one of room:b after each."""
    with transaction.atomic():
        drafts = [
            Draft(stream=stream, type="message", data={"n": number})
            for number in range(1, 8)
            for stream in ("room:a", "room:b")
        ]
        log.lock("room:a", "room:b").append(*drafts)


@pytest.mark.parametrize(
    ("after", "limit", "expected"),
    [
        (0, 100, [1, 2, 3, 4, 5, 6, 7]),
        (0, 3, [1, 2, 3]),
        (3, 3, [4, 5, 6]),
        (6, 100, [7]),
        (7, 100, []),
        (2**62, 100, []),
        (-5, 2, [1, 2]),
        (0, 0, []),
    ],
)
@pytest.mark.usefixtures("seven")
def test_what_follows_a_place_in_order(after, limit, expected):
    events = log.replay("room:a", after=after, limit=limit)
    assert [event.pos for event in events] == expected
    assert {event.stream for event in events} <= {"room:a"}


def test_a_stream_that_is_not_there_has_nothing(db):
    assert log.replay("room:x", after=0, limit=10) == []


@pytest.mark.usefixtures("seven")
def test_it_is_the_frame_that_went_out(events_of):
    frames = [event.frame for event in log.replay("room:a", after=0, limit=10)]
    assert [frame["data"] for frame in events_of("room:a")] == [{"n": number} for number in range(1, 8)]
    assert frames[2].startswith('{"type":"message","stream":"room:a","pos":3,"ts":"')


@pytest.mark.usefixtures("seven")
def test_it_is_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        log.replay("room:a", after=2, limit=100)
