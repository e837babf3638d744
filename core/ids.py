"""Identifiers: UUIDv7 (RFC 9562), ordered by time, so that new rows land at an index's end."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new id, larger than every earlier one of this process."""
    return uuid7()
