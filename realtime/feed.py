"""A stream as one process delivers it, and a connection's place in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import structlog

from eventlog.log import LoggedEvent
from realtime.protocol import Outgoing

if TYPE_CHECKING:
    from realtime.connection import Connection

logger = structlog.get_logger(__name__)

PAGE = 100
"""Events per read of the log: under half of a connection's buffer."""

RUN_BYTES = 65_536

ReadLog = Callable[[str, int], Awaitable[list[LoggedEvent]]]


def runs(events: Iterable[LoggedEvent]) -> Iterator[list[LoggedEvent]]:
    """Events that can be sent in one piece: one after the other, and only the last says who follows what.

    A piece ends at RUN_BYTES, too.
    """
    run: list[LoggedEvent] = []
    size = 0
    for event in events:
        if run and (event.pos != run[-1].pos + 1 or run[-1].steers or size >= RUN_BYTES):
            yield run
            run, size = [], 0
        run.append(event)
        size += len(event.frame)
    if run:
        yield run


def outgoing(run: Iterable[LoggedEvent]) -> Outgoing:
    return Outgoing(*(event.frame for event in run))


class Following:
    """A connection's place in a stream. While it is live, the place is the feed's own position.

    `from_ready`: it began at the head that `ready` told, and nothing has said otherwise since.
    """

    __slots__ = ("feed", "from_ready", "live", "place", "since")

    def __init__(self, feed: Feed, place: int, since: int, *, from_ready: bool) -> None:
        self.feed = feed
        self.place = place
        self.since = since
        self.from_ready = from_ready
        self.live = False


class Feed:
    """Passes a stream's events on to the live connections, each once, in order, whatever the layer does.

    Args:
        name: the stream's.
        read: a page of the log after a position.
        steer: told of each event that says who follows what, for each live connection that got it.
        fell_behind: told of a connection that is not live any more because it reads too slowly.
    """

    __slots__ = (
        "_fell_behind",
        "_newest",
        "_read",
        "_steer",
        "filling",
        "followers",
        "live",
        "name",
        "position",
        "subscribed",
    )

    def __init__(
        self,
        name: str,
        *,
        read: ReadLog,
        steer: Callable[[Connection, Following, LoggedEvent], None],
        fell_behind: Callable[[Connection], None],
    ) -> None:
        self.name = name
        self.position = -1  # the last event that was passed on; -1 until it is known where to begin
        self.subscribed = False
        self.live: set[Connection] = set()
        self.followers: dict[Connection, Following] = {}
        self._newest = -1  # the newest event that anyone told of
        self.filling: asyncio.Task[None] | None = None
        self._read = read
        self._steer = steer
        self._fell_behind = fell_behind

    @property
    def is_placed(self) -> bool:
        return self.position >= 0

    def begin(self, head: int) -> None:
        """Pass on what comes after `head`."""
        self.position = head
        self.take([])

    def take(self, events: Iterable[LoggedEvent]) -> None:
        """Deliver what comes next, drop what is old, fill what is missing."""
        for run in runs(events):
            self._newest = max(self._newest, run[-1].pos)
            if self.is_placed:
                self._deliver([event for event in run if event.pos > self.position])
        self.look_for(self._newest)

    def look_for(self, head: int) -> None:
        """Read from the log what is missing up to `head`."""
        self._newest = max(self._newest, head)
        if self.is_placed and self.position < self._newest:
            self._start_filling()

    async def fill(self, head: int) -> None:
        """Wait until what the log has is delivered, up to `head` if it reaches that far.

        Raises: what reading the log raises.
        """
        # A fill that is under way may have read the log before this head was in it.
        self._newest = max(self._newest, head)
        await asyncio.shield(self._start_filling())

    def stop(self) -> None:
        if self.filling:
            self.filling.cancel()

    def _start_filling(self) -> asyncio.Task[None]:
        if self.filling is None or self.filling.done():
            self.filling = asyncio.get_running_loop().create_task(self._fill_from_log())
            self.filling.add_done_callback(_log_failure)
        return self.filling

    async def _fill_from_log(self) -> None:
        while True:
            told = self._newest
            events = await self._read(self.name, self.position)
            if events and events[0].pos > self.position + 1:
                # Pruned: each connection is told so by its replay.
                for connection in list(self.live):
                    self._leave_behind(connection, self.position)
                self.position = events[0].pos - 1
            for run in runs(events):
                self._deliver([event for event in run if event.pos > self.position])
            if len(events) < PAGE and self._newest <= max(told, self.position):
                self._newest = self.position
                return
            # More than a page: those who don't keep up read on at their own pace.
            for connection in [c for c in self.live if c.is_half_full()]:
                self._leave_behind(connection, self.position)

    def _deliver(self, run: Sequence[LoggedEvent]) -> None:
        """Send a run, if it is what comes next."""
        if not run or run[0].pos != self.position + 1:
            return
        last = run[-1]
        frames = outgoing(run)
        slow = [connection for connection in self.live if not connection.offer(frames)]
        for connection in slow:
            self._leave_behind(connection, self.position)
        self.position = last.pos
        if last.steers:
            for connection in list(self.live):
                self._steer(connection, self.followers[connection], last)

    def _leave_behind(self, connection: Connection, place: int) -> None:
        """A slow reader holds up nobody: it replays from `place`."""
        following = self.followers[connection]
        self.live.discard(connection)
        following.live, following.place = False, place
        self._fell_behind(connection)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.warning("fill_failed", error=type(error).__name__)
