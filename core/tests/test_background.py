"""Work in the background: in order, never waited for, and nothing breaks it."""

from threading import Event, current_thread

import pytest
from django.db import OperationalError

from core.background import Background
from core.errors import Unavailable


@pytest.fixture
def background() -> Background:
    return Background("test", most=3)


def test_it_is_done_in_order_on_a_thread_of_its_own(background):
    done = []
    for number in range(3):
        background.put(lambda number=number: done.append((number, current_thread().name)))
        background.wait()
    assert done == [(0, "test"), (1, "test"), (2, "test")]


@pytest.mark.parametrize(
    "error", [OSError("alice@example.com"), OperationalError("alice"), Unavailable(), ValueError("a bug")]
)
def test_a_failure_is_told_and_ends_nothing_else(background, error, caplog):
    done = []

    def fail() -> None:
        raise error

    background.put(fail)
    background.put(lambda: done.append(1))
    background.wait()
    assert done == [1]
    (record,) = caplog.records
    assert "work_failed" in str(record.msg)
    assert "alice" not in caplog.text


def test_who_puts_does_not_wait_and_what_is_too_much_is_dropped(background, caplog):
    busy, go_on, done = Event(), Event(), []

    def block() -> None:
        busy.set()
        go_on.wait(timeout=10)

    background.put(block)
    assert busy.wait(timeout=10)
    for number in range(5):
        background.put(lambda number=number: done.append(number))
    assert done == []
    assert caplog.text.count("work_dropped") == 2
    go_on.set()
    background.wait()
    assert done == [0, 1, 2]


def test_nothing_is_started_until_there_is_something_to_do(background):
    background.wait()
    assert background._thread is None
