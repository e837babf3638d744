"""Django's own backend, but quick to say that the server is away, and with fewer words for a transaction."""

from __future__ import annotations

import time
from typing import Any

from django.db.backends.mysql import base

SECONDS_AWAY = 1
"""After a connection could not be made, none is tried for so long."""

SECONDS_TRUSTED = 1
"""A connection that answered is not asked again for so long whether it is there."""

_FIRST_CLIENT_ERROR = 2000  # below it the server itself has spoken: it is there


class DatabaseWrapper(base.DatabaseWrapper):
    """A server that hangs costs each attempt its timeout, and threads are few.

    While it is away, attempts would queue for the threads, and the last answer would come after a
    minute; this way all but the first few get theirs at once.
    """

    _away_until = 0.0
    _trusted_until = 0.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if time.monotonic() < DatabaseWrapper._away_until:
            raise self.Database.OperationalError(2002, "The server was away a moment ago.")
        try:
            connection = super().get_new_connection(conn_params)
        except self.Database.OperationalError as error:
            if error.args[0] >= _FIRST_CLIENT_ERROR:
                DatabaseWrapper._away_until = time.monotonic() + SECONDS_AWAY
            raise
        DatabaseWrapper._away_until = 0
        return connection

    def is_usable(self) -> bool:
        # Asked before each request and each batch. One that broke in between fails once, and is dropped.
        if not self.errors_occurred and time.monotonic() < self._trusted_until:
            return True
        is_usable = super().is_usable()
        self._trusted_until = time.monotonic() + SECONDS_TRUSTED if is_usable else 0
        return is_usable

    def _start_transaction_under_autocommit(self) -> None:
        # BEGIN, where Django turns autocommit off and on again: a word less to the server.
        with self.cursor() as cursor:
            cursor.execute("BEGIN")

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 - Django's
        if self.connection.get_autocommit() != autocommit:
            super()._set_autocommit(autocommit)  # type: ignore[misc]
