"""What a file store fails with, as the one error that clients are told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings

from core.errors import ChatError, StorageUnavailable

logger = structlog.get_logger(__name__)

SECONDS_ALONE = 5
"""A store that has hung is left alone for so long: each attempt costs a thread its timeout, and threads are few."""

_again = 0.0


@contextmanager
def guarded() -> Iterator[None]:
    """Raises: StorageUnavailable, for whatever the store inside raises; at once while it is left alone."""
    global _again  # noqa: PLW0603 - one breaker per process
    started = time.monotonic()
    if started < _again:
        raise StorageUnavailable(retry_after=_again - started)
    try:
        yield
    except ChatError:
        raise
    except Exception as error:  # each store has its own
        # By its class only: what a library says may quote names, keys and bodies.
        logger.warning("storage_failed", error=type(error).__name__)
        if time.monotonic() - started >= settings.STORAGE_SECONDS:
            _again = time.monotonic() + SECONDS_ALONE
        raise StorageUnavailable from error
