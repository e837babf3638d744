"""Work that no request waits for and that may be lost, such as a mail that can be asked for again."""

from __future__ import annotations

from collections.abc import Callable
from queue import Full, Queue
from threading import Lock, Thread

import structlog
from django.db import InterfaceError, OperationalError, connections

from core.errors import ChatError

logger = structlog.get_logger(__name__)

Work = Callable[[], None]


class Background:
    """One thread, which does what it is given in order, and goes with the process.

    Args:
        name: of the thread.
        most: pieces of work that may wait; what comes on top of them is dropped.
    """

    def __init__(self, name: str, *, most: int) -> None:
        self._name = name
        self._waiting: Queue[Work] = Queue(most)
        self._starting = Lock()
        self._thread: Thread | None = None

    def put(self, work: Work) -> None:
        """Have it done, soon; this never waits."""
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(work)
        except Full:
            logger.warning("work_dropped", thread=self._name)

    def wait(self) -> None:
        """Until all that was put is done."""
        self._waiting.join()

    def _run(self) -> None:
        while True:
            work = self._waiting.get()
            try:
                work()
            except (ChatError, OSError, OperationalError, InterfaceError) as error:
                # Something is away. What it says of that may name people.
                logger.warning("work_failed", thread=self._name, error=type(error).__name__)
            except Exception:
                logger.exception("work_failed", thread=self._name)
            finally:
                # It comes rarely, and a connection that lies idle may be gone by then.
                connections.close_all()
                self._waiting.task_done()
