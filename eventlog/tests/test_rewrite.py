"""Rewriting: the frames that hold an object say something else, and nothing but their data changes."""

from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.transactions import transactional
from eventlog import log
from eventlog.log import Draft
from eventlog.models import Event

pytestmark = pytest.mark.django_db

SECRET, OTHER = uuid4(), uuid4()


@transactional
def append(*drafts):
    return log.lock(*{draft.stream for draft in drafts}).append(*drafts)


def draft(stream="room:a", text="secret", **fields):
    return Draft(stream=stream, type="message", data={"id": 1, "text": text}, **fields)


def without_text(data):
    return data | {"text": ""}


def texts(frames):
    return [frame["data"]["text"] for frame in frames]


def test_frames_about_the_object_and_those_that_show_it_change_in_every_stream(events_of):
    append(
        draft(object_id=SECRET),
        draft(object_id=OTHER, text="another"),
        draft("user:b", object_id=OTHER, shows_id=SECRET),
        draft("user:b", text="none"),
    )
    log.rewrite([SECRET], without_text)
    assert texts(events_of("room:a")) == ["", "another"]
    assert texts(events_of("user:b")) == ["", "none"]


def test_the_rest_of_the_event_stays_as_it_was(events_of):
    append(draft(), draft(object_id=SECRET, ends_for="*", opens="room:x", opens_after=7))
    before = Event.objects.values().get(pos=2)
    (_, frame) = events_of("room:a")
    log.rewrite([SECRET], without_text)
    assert events_of("room:a")[1] == frame | {"data": {"id": 1, "text": ""}}
    after = Event.objects.values().get(pos=2)
    assert after == before | {"frame": after["frame"]}
    assert after["frame"].startswith('{"type":"message","stream":"room:a","pos":2,"ts":"')


def test_nothing_is_written_where_nothing_changes():
    append(draft(object_id=SECRET))
    with CaptureQueriesContext(connection) as queries:
        log.rewrite([SECRET], lambda data: data)
    assert [query["sql"][:6] for query in queries] == ["SELECT"] * 2


def test_of_no_object_there_is_nothing_to_ask(django_assert_num_queries):
    with django_assert_num_queries(0):
        log.rewrite([], without_text)


@pytest.mark.parametrize("count", [1, 90])
def test_queries_do_not_grow_with_the_frames(count, django_assert_num_queries):
    ids = [uuid4() for _ in range(count)]
    append(*(draft(object_id=id_) for id_ in ids))
    with transaction.atomic(), django_assert_num_queries(3):
        log.rewrite(ids, without_text)
    assert not Event.objects.filter(frame__contains="secret").exists()


def test_more_objects_and_frames_than_one_query_takes_change_too():
    ids = [uuid4() for _ in range(1_100)]
    append(*(draft(object_id=id_) for id_ in ids))
    log.rewrite(ids, without_text)
    assert not Event.objects.filter(frame__contains="secret").exists()


def test_a_rollback_leaves_the_frames(events_of):
    append(draft(object_id=SECRET))
    with transaction.atomic():
        log.rewrite([SECRET], without_text)
        transaction.set_rollback(True)
    assert texts(events_of("room:a")) == ["secret"]


def test_all_that_is_about_one_object_changes_page_by_page(events_of, monkeypatch):
    monkeypatch.setattr(log, "_EVENTS_AT_ONCE", 2)
    for number in range(5):
        append(draft(object_id=SECRET), draft(f"room:{number}", object_id=SECRET), draft(text="another"))
    log.rewrite_all_about(SECRET, without_text)
    assert texts(events_of("room:a")) == ["", "another"] * 5
    assert [texts(events_of(f"room:{number}")) for number in range(5)] == [[""]] * 5


def test_changed_finds_an_object_wherever_it_is_and_gives_it_no_key_that_it_had_not():
    shown = {"id": "a", "text": "x", "in": [{"id": "b", "text": "y"}, {"of": {"id": "a", "name": "z"}}]}
    left = log.changed(shown, "a", {"text": "", "name": ""})
    assert left == {"id": "a", "text": "", "in": [{"id": "b", "text": "y"}, {"of": {"id": "a", "name": ""}}]}
