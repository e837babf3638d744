"""One transaction per intention, repeated when the database asks for it."""

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from core.errors import NotFound, Unavailable
from core.transactions import ATTEMPTS, Contended, transactional
from eventlog.models import Stream

DEADLOCK = (1213, "Deadlock found when trying to get lock; try restarting transaction")
LOCK_WAIT = (1205, "Lock wait timeout exceeded; try restarting transaction")
GONE = (2006, "Server has gone away")

pytestmark = pytest.mark.django_db(transaction=True)


def failing(error, times):
    """Work that saves a row, and fails that many times after it; and the list of its attempts."""
    attempts = []

    @transactional
    def work(name):
        attempts.append(connection.in_atomic_block)
        Stream.objects.create(name=name)
        transaction.on_commit(lambda: committed.append(name))
        if len(attempts) <= times:
            raise error
        return len(attempts)

    committed = []
    return work, attempts, committed


def test_work_begins_again_after_a_deadlock():
    work, attempts, committed = failing(OperationalError(*DEADLOCK), 2)
    assert work("x") == 3
    assert attempts == [True, True, True]
    assert committed == ["x"]
    assert Stream.objects.filter(name="x").count() == 1


def test_it_is_given_up_some_time():
    work, attempts, committed = failing(OperationalError(*DEADLOCK), ATTEMPTS)
    with pytest.raises(Unavailable) as caught:
        work("x")
    assert caught.value.retryable
    assert len(attempts) == ATTEMPTS
    assert (committed, Stream.objects.count()) == ([], 0)


@pytest.mark.parametrize("arguments", [LOCK_WAIT, GONE, ("database is locked",), ()])
def test_another_operational_error_is_not_repeated(arguments):
    work, attempts, _ = failing(OperationalError(*arguments), 1)
    with pytest.raises(Unavailable):
        work("x")
    assert len(attempts) == 1
    assert not Stream.objects.exists()


def test_a_lock_that_was_waited_for_in_vain_is_told_apart():
    work, _, _ = failing(OperationalError(*LOCK_WAIT), 1)
    with pytest.raises(Contended):
        work("x")


@pytest.mark.parametrize("error", [NotFound(), IntegrityError("x"), RuntimeError("x")])
def test_other_errors_roll_back_and_pass_through(error):
    work, attempts, committed = failing(error, 1)
    with pytest.raises(type(error)):
        work("x")
    assert (len(attempts), committed) == (1, [])
    assert not Stream.objects.exists()


def test_inside_a_transaction_it_joins_and_leaves_repeating_to_the_outer_one():
    work, attempts, committed = failing(OperationalError(*DEADLOCK), 1)
    with pytest.raises(OperationalError), transaction.atomic():
        work("x")
    assert (len(attempts), committed) == (1, [])


def test_the_outer_one_repeats_all_of_it():
    inner, _, committed = failing(OperationalError(*DEADLOCK), 2)

    @transactional
    def outer():
        Stream.objects.create(name="outer")
        return inner("x")

    assert outer() == 3
    assert committed == ["x"]
    assert Stream.objects.count() == 2
