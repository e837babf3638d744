"""Many rows in one statement."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from core import rows
from eventlog.models import Event, Stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def stream():
    return Stream.objects.create(name="room:a")


def events(stream, positions):
    now = timezone.now()
    return [
        Event(stream=stream, pos=pos, type="message", frame=f'{{"n": "{pos} 😀 %s"}}', created_at=now)
        for pos in positions
    ]


class TestInsert:
    def test_the_rows_are_there_as_they_were_made(self, stream, django_assert_num_queries):
        made = events(stream, [1, 2, 3])
        with django_assert_num_queries(1):
            rows.insert(made)
        names = [field.attname for field in Event._meta.concrete_fields if field.attname != "created_at"]
        for one, found in zip(made, Event.objects.order_by("pos"), strict=True):
            assert all(getattr(one, name) == getattr(found, name) for name in names)
            assert abs((found.created_at - one.created_at).total_seconds()) < 0.001

    def test_too_many_parameters_for_one_statement_are_no_matter(self, stream, django_assert_num_queries):
        with django_assert_num_queries(2):
            rows.insert(events(stream, range(1, 4001)))
        assert Event.objects.count() == 4000

    def test_neither_is_too_much_text(self, stream, django_assert_num_queries):
        made = events(stream, range(1, 6))
        for one in made:
            one.frame = "😀" * 600_000
        with django_assert_num_queries(2):
            rows.insert(made)
        assert {len(frame) for frame in Event.objects.values_list("frame", flat=True)} == {600_000}

    def test_one_that_is_there_already_keeps_all_out(self, stream):
        rows.insert(events(stream, [2]))
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.insert(events(stream, [1, 2, 3]))
        assert Event.objects.count() == 1

    def test_no_rows_are_no_statement(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            rows.insert([])
            rows.update([], "head")


class TestUpdate:
    def test_each_row_gets_its_own_and_others_stay(self, django_assert_num_queries):
        streams = [Stream.objects.create(name=f"room:{n}", head=n) for n in range(5)]
        for one in streams:
            one.head, one.name = one.head + 10, "never saved"
        with django_assert_num_queries(1):
            rows.update(streams[1:], "head")
        assert list(Stream.objects.order_by("id").values_list("name", "head")) == [
            ("room:0", 0),
            *((f"room:{n}", n + 10) for n in range(1, 5)),
        ]


class TestAmong:
    def test_only_these_pairs_and_not_their_product(self, stream):
        other = Stream.objects.create(name="room:b")
        rows.insert([*events(stream, [1, 2]), *events(other, [1, 2])])
        found = rows.among(
            Event.objects.all(), ("stream", "pos"), [(stream.id, 1), (other.id, 2), (other.id, 9)]
        )
        assert set(found.values_list("stream_id", "pos")) == {(stream.id, 1), (other.id, 2)}

    def test_of_no_pairs_there_are_no_rows(self, stream):
        rows.insert(events(stream, [1]))
        assert not rows.among(Event.objects.all(), ("stream", "pos"), []).exists()

    def test_an_index_finds_them(self, stream):
        rows.insert(events(stream, range(1, 500)))
        found = rows.among(
            Event.objects.all(), ("stream", "pos"), [(stream.id, pos) for pos in range(1, 200)]
        )
        plan = found.explain()
        assert "SCAN" not in plan
        assert " ALL " not in plan


class TestPages:
    def test_each_row_comes_once_in_the_order_of_keys_also_of_those_with_two_parts(self, stream):
        other = Stream.objects.create(name="room:b")
        rows.insert([*events(other, range(1, 4)), *events(stream, range(1, 6))])
        found = [[event.pk for event in page] for page in rows.pages(Event.objects.all(), 3)]
        assert found == [
            [(stream.id, 1), (stream.id, 2), (stream.id, 3)],
            [(stream.id, 4), (stream.id, 5), (other.id, 1)],
            [(other.id, 2), (other.id, 3)],
        ]

    def test_what_a_page_takes_away_does_not_hide_the_next(self, stream):
        rows.insert(events(stream, range(1, 8)))
        for page in rows.pages(Event.objects.all(), 3):
            for event in page:
                event.delete()
        assert not Event.objects.exists()

    def test_nothing_is_no_page(self, db):
        assert list(rows.pages(Event.objects.all())) == []
