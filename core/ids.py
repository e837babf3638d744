"""Identifiers: UUIDv7 (RFC 9562), ordered by time, so that new rows land at an index's end."""

from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new id, larger than every earlier one of this process."""
    return uuid7()


def first_id_at(moment: datetime, *, later: float = 0) -> UUID:
    """What is smaller than every id that is made from so many seconds after that moment on, and larger than all before."""
    milliseconds = int((moment.timestamp() + later) * 1000)
    return UUID(int=min(max(0, milliseconds), 2**48 - 1) << 80)
