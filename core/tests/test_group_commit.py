"""What several threads ask for at the same time is done once for all."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from core.group_commit import GroupCommit

pytestmark = pytest.mark.django_db(transaction=True)


class Work:
    """Doubles numbers; the first call waits until `others` more items wait behind it."""

    def __init__(self, *, others: int = 0, broken_by: int | None = None) -> None:
        self.calls: list[list[int]] = []
        self.together = GroupCommit(self)
        self._others = others
        self._broken_by = broken_by

    def __call__(self, items):
        self.calls.append(list(items))
        while len(self.calls) == 1 and len(self.together._waiting) < self._others:
            threading.Event().wait(0.001)
        if self._broken_by in items:
            raise ValueError(self._broken_by)
        return [2 * item for item in items]


def ask(work, items):
    """The outcome of each item, or its error, all asked for at the same time."""

    def one(item):
        try:
            return work.together(item)
        except ValueError as error:
            return error

    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(one, items))


def test_one_alone_is_done_at_once():
    work = Work()
    assert (work.together(1), work.together(2)) == (2, 4)
    assert work.calls == [[1], [2]]


def test_those_that_come_meanwhile_are_done_in_one_go():
    work = Work(others=5)
    assert ask(work, range(6)) == [0, 2, 4, 6, 8, 10]
    assert sorted(map(len, work.calls)) == [1, 5]


def test_an_error_is_for_who_caused_it_alone():
    work = Work(others=5, broken_by=3)
    outcomes = ask(work, range(6))
    assert isinstance(outcomes.pop(3), ValueError)
    assert outcomes == [0, 2, 4, 8, 10]


def test_after_an_error_it_goes_on():
    work = Work(broken_by=1)
    with pytest.raises(ValueError, match="1"):
        work.together(1)
    assert work.together(2) == 4


def test_inside_a_transaction_nothing_of_others_is_done():
    work = Work()
    with work.together._lock, transaction.atomic():  # as if somebody worked
        assert work.together(1) == 2


def test_many_at_once_each_get_their_own():
    work = Work()
    for _ in range(20):
        assert ask(work, range(16)) == [2 * item for item in range(16)]
