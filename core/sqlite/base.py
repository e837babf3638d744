"""Django's own backend, but one that leaves no cursor behind when SQLite is locked."""

from __future__ import annotations

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """The error of a BEGIN that waited in vain holds Django's cursor, and may be thrown away by any thread.

    That thread then has to reset the statement, which needs a mutex that a connection holds while it waits
    for the lock of the database. Were it the event loop, all would stand still; were it the thread
    that holds the lock, both would wait for each other until the one gives up, and then for the next.
    """

    def _start_transaction_under_autocommit(self) -> None:
        with self.cursor() as cursor:
            cursor.execute(f"BEGIN {self.transaction_mode or ''}")  # type: ignore[attr-defined]
