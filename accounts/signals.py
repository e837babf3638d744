"""What accounts asks of the apps above it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.dispatch import Signal

relationships_asked = Signal()
"""Asked with `viewer` and `user_ids`; a receiver returns {user_id: Relationship} for those that aren't "none"."""

acquaintances_asked = Signal()
"""Asked with `viewer` and `user_ids`; a receiver returns {user_id: Acquaintance} for those who let the viewer see
whether they are here, if their own `last_seen` doesn't keep it from such as the viewer is.
"""

hidden_users_asked = Signal()
"""Asked with `viewer`; a receiver returns the ids of those who are not there for the viewer, as a queryset.

A queryset, since it goes into the query that looks for users: no page of a search may fall short by a
hidden one, and no look-up takes a query more.
"""


class Exported(NamedTuple):
    """A file of an export: its name (`.json` is a list, `.jsonl` a row a line), what it has, and its rows, read lazily."""

    name: str
    about: str
    rows: Iterable[Any]


erasure_asked = Signal()
"""Sent with `user`, who is a tombstone already, and `erases_messages`; outside a transaction, to lower apps first.

A receiver takes away what its app has of the user, in transactions of its own, each a small one. It may have been
stopped anywhere the time before: then it goes on, and where nothing is left it does nothing.
"""

export_asked = Signal()
"""Asked with `user`; a receiver returns what its app knows of them, as a list of Exported."""
