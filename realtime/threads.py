"""The database threads of the socket: a fixed number, so a fixed number of connections.

asgiref runs everything on one thread per process; a slow query there would stop every socket.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections, connections, reset_queries

from core.errors import Unavailable
from core.outages import is_outage

P = ParamSpec("P")
R = TypeVar("R")


class DatabaseThreads:
    """Runs synchronous database work for the event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(settings.WS_DATABASE_THREADS, thread_name_prefix="socket-db")

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """`work`'s result.

        Raises:
            Unavailable: the database, or Redis, does not answer.
            ChatError: whatever `work` raises.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(_guarded, work, *args, **kwargs))

    def stop(self) -> None:
        """Close each thread's connection and end the threads."""
        threads = settings.WS_DATABASE_THREADS
        everyone = threading.Barrier(threads)

        def leave() -> None:
            connections.close_all()
            everyone.wait(timeout=10)  # so that no thread takes two turns

        for left in [self._pool.submit(leave) for _ in range(threads)]:
            left.result(timeout=10)
        self._pool.shutdown(wait=False)


def _guarded(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    # Drops a connection that broke or that the server closed; the next query opens a new one.
    close_old_connections()
    # With DEBUG Django keeps the text of queries, until the next request: here there is none.
    reset_queries()
    try:
        return work(*args, **kwargs)
    except Exception as error:
        if is_outage(error):
            raise Unavailable from error
        raise
