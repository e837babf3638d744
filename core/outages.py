"""What it is when something that we need is away."""

from __future__ import annotations

import errno

from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError


def is_outage(error: BaseException | None) -> bool:
    """Whether it is nobody's mistake: the database or Redis is away, or no descriptor is left to reach them by."""
    if isinstance(error, OSError):
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return isinstance(error, (OperationalError, InterfaceError, RedisError))
