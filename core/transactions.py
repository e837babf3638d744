"""One transaction per user intention, repeated when the database asks for it; one snapshot per reading."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

from core.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 5
_DEADLOCK = 1213
_LOCK_WAIT = 1205


class Contended(Unavailable):
    """Someone else holds a lock that this needs, and does not let go of it."""


def transactional(work: Callable[P, R]) -> Callable[P, R]:
    """Run `work` in one transaction; begin again, a few times, after a deadlock.

    InnoDB rolls the whole transaction back when it picks a deadlock's victim, so the work must
    start over: `work` may touch nothing but the database. Inside an open transaction it joins
    that one. Any other operational error means that the database is away or full: nothing is known
    to be saved, and the client may repeat.

    Raises:
        Contended: a lock was waited for in vain; that would be repeated in vain, too.
        Unavailable: the database does not answer, or conflicts went on.
    """

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return work(*args, **kwargs)
        for attempt in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    return work(*args, **kwargs)
            except OperationalError as error:
                if _is(error, _LOCK_WAIT):
                    raise Contended from error
                if not _is(error, _DEADLOCK) or attempt == ATTEMPTS - 1:
                    raise Unavailable from error
            time.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable")

    return run


def _is(error: OperationalError, number: int) -> bool:
    return bool(error.args) and error.args[0] == number


@contextmanager
def consistent_read() -> Iterator[None]:
    """Let all queries inside see the database as it was at one moment; they may not write.

    Inside an open transaction it changes nothing.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "mysql":
        with connection.cursor() as cursor:
            # For the next transaction only; its first read takes the snapshot.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with transaction.atomic():
            yield
    else:
        # Not `atomic`, which would take SQLite's write lock. A plain transaction in WAL mode reads a snapshot.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
