"""Appending: places without gaps, the exact frame, announced after the commit only."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import msgspec
import pytest
from django.db import connection, transaction

from core.transactions import transactional
from eventlog import log
from eventlog.log import Draft, LoggedEvent, room_stream, user_stream
from eventlog.models import Event, Stream
from eventlog.signals import events_committed


class Body(msgspec.Struct):
    text: str
    nothing: str | None = None


def draft(stream="room:a", data=None, **fields):
    return Draft(stream=stream, type="message", data=data or {}, **fields)


@transactional
def append(*drafts):
    return log.lock(*{draft.stream for draft in drafts}).append(*drafts)


@pytest.fixture
def announced():
    """What was announced, a list of (stream, pos) per commit."""
    heard = []

    def hear(*, events, **_signal):
        heard.append([(event.stream, event.pos) for event in events])

    events_committed.connect(hear)
    yield heard
    events_committed.disconnect(hear)


def positions(stream="room:a"):
    return list(Event.objects.filter(stream__name=stream).order_by("pos").values_list("pos", flat=True))


class TestPlaces:
    def test_they_are_1_2_3(self, db):
        first = append(draft(), draft())
        second = append(draft())
        assert [event.pos for event in first + second] == positions() == [1, 2, 3]
        assert Stream.objects.get().head == 3

    def test_every_stream_counts_for_itself_and_the_order_is_kept(self, db):
        logged = append(draft("room:a"), draft("room:b"), draft("room:a"), draft("user:c"))
        assert [(event.stream, event.pos) for event in logged] == [
            ("room:a", 1),
            ("room:b", 1),
            ("room:a", 2),
            ("user:c", 1),
        ]
        assert log.heads(["room:a", "room:b", "user:c"]) == {"room:a": 2, "room:b": 1, "user:c": 1}

    def test_one_transaction_may_append_again(self, db):
        with transaction.atomic():
            streams = log.lock("room:a")
            assert streams.head("room:a") == 0
            streams.append(draft())
            assert streams.head("room:a") == 1
            streams.append(draft(), draft())
        assert positions() == [1, 2, 3]

    def test_nothing_to_append_is_nothing(self, db, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks() as callbacks, transaction.atomic():
            assert log.lock("room:a").append() == []
        assert callbacks == []
        assert Stream.objects.get().head == 0

    def test_a_stream_that_was_not_locked_is_a_mistake(self, db):
        with transaction.atomic():
            streams = log.lock("room:a")
            with pytest.raises(KeyError):
                streams.append(draft("room:a"), draft("room:b"))
            assert not Event.objects.exists()
            streams.append(draft("room:a"))
        assert positions() == [1]

    def test_data_that_has_no_json_form_uses_up_no_place(self, db):
        with transaction.atomic():
            streams = log.lock("room:a")
            with pytest.raises(TypeError):
                streams.append(draft(), draft(data={"x": object()}))
            streams.append(draft())
        assert positions() == [1]

    def test_names_are_compared_exactly(self, db):
        append(draft("room:a"), draft("room:A"), draft("room:á"))
        assert Stream.objects.count() == 3

    @pytest.mark.parametrize("count", [1, 50])
    def test_queries_do_not_grow_with_the_events(self, db, django_assert_num_queries, count):
        append(draft())
        # The locks, the heads, the rows; the id is known.
        with django_assert_num_queries(3):
            log.lock("room:a").append(*[draft()] * count)


class TestFrame:
    def test_it_is_exactly_this(self, db, events_of):
        append(draft(data=Body("hé\n😀")))
        (frame,) = events_of("room:a")
        assert list(frame) == ["type", "stream", "pos", "ts", "data"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", frame.pop("ts"))
        assert frame == {
            "type": "message",
            "stream": "room:a",
            "pos": 1,
            "data": {"text": "hé\n😀", "nothing": None},
        }

    def test_what_is_returned_is_what_is_kept(self, db):
        (event,) = append(draft(ends_for="*", opens="room:x", opens_after=7))
        assert event == log.replay("room:a", after=0, limit=1)[0]
        assert (event.ends_for, event.opens, event.opens_after) == ("*", "room:x", 7)
        assert json.loads(event.frame)["pos"] == event.pos == 1

    def test_who_and_what_are_kept_beside_it(self, db):
        actor, object_ = uuid4(), uuid4()
        append(draft(actor_id=actor, object_id=object_))
        row = Event.objects.get()
        assert (row.type, row.actor_id, row.object_id) == ("message", actor, object_)

    def test_streams_are_named_by_their_owner(self):
        id_ = uuid4()
        assert (user_stream(id_), room_stream(id_)) == (f"user:{id_}", f"room:{id_}")


@pytest.mark.django_db(transaction=True)
class TestCommit:
    def test_it_is_announced_after_the_commit(self, announced):
        with transaction.atomic():
            log.lock("room:a").append(draft(), draft())
            assert announced == []
        assert announced == [[("room:a", 1), ("room:a", 2)]]

    def test_a_rollback_leaves_and_announces_nothing(self, announced):
        with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - the rollback is the point
            log.lock("room:a").append(draft())
            raise RuntimeError
        assert announced == []
        assert not Event.objects.exists()
        append(draft())
        assert positions() == [1]

    def test_a_listener_that_fails_harms_nobody(self, announced):
        def fail(**_signal):
            raise RuntimeError

        events_committed.connect(fail)
        try:
            append(draft())
        finally:
            events_committed.disconnect(fail)
        assert announced == [[("room:a", 1)]]

    def test_a_lock_needs_a_transaction(self):
        with pytest.raises(transaction.TransactionManagementError):
            log.lock("room:a")
        assert not Stream.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestParallel:
    THREADS, EACH = 4, 10

    def run(self, work):
        start = Barrier(self.THREADS)

        def worker(number):
            try:
                start.wait(timeout=10)
                return [work(number) for _ in range(self.EACH)]
            finally:
                connection.close()

        with ThreadPoolExecutor(self.THREADS) as pool:
            return [
                event for part in pool.map(worker, range(self.THREADS)) for events in part for event in events
            ]

    def test_the_places_are_1_to_n(self):
        logged: list[LoggedEvent] = self.run(lambda number: append(draft(data={"by": number})))
        total = self.THREADS * self.EACH
        assert sorted(event.pos for event in logged) == positions() == list(range(1, total + 1))
        assert log.heads(["room:a"]) == {"room:a": total}

    def test_whichever_order_streams_are_named_in(self):
        def work(number):
            names = ["room:a", "room:b", "user:c"]
            return append(*(draft(name) for name in (names if number % 2 else reversed(names))))

        self.run(work)
        total = self.THREADS * self.EACH
        for name in ("room:a", "room:b", "user:c"):
            assert positions(name) == list(range(1, total + 1))
