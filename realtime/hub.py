"""Local fan-out: what this process's connections follow, and in what order they get it.

The log is the truth and the channel layer a doorbell. Per stream the hub keeps the position up to
which it has delivered: the next event is passed on, an older one dropped, and a hole is filled from
the log, as is whatever a periodic look at the heads finds. So a lost, late, doubled or reordered
layer message, or a Redis restart, costs a moment and never an event.

One layer membership per stream and process, however many connections follow it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any
from uuid import UUID

import structlog

from eventlog import log
from eventlog.log import EVERYONE, LoggedEvent
from realtime import presence, protocol
from realtime.batches import Batcher
from realtime.close_codes import CloseCode
from realtime.connection import Connection
from realtime.doorbell import Doorbell
from realtime.feed import PAGE, Feed, Following, outgoing, runs
from realtime.feeds import Feeds
from realtime.frames import ResyncRequired
from realtime.loader import Loader
from realtime.presence import Presence
from realtime.protocol import Outgoing
from realtime.roster import Roster
from realtime.router import Arrival, Claims, Place, Route, Router
from realtime.threads import DatabaseThreads

logger = structlog.get_logger(__name__)

_EVENTS_PER_TURN = 64

MOST_DELAY_SECONDS = 10
"""A hub that is further behind is stuck."""


class Hub:
    """The deliveries of one process, on one event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.threads = DatabaseThreads()
        self.batchers: dict[str, Batcher] = {}
        self.roster = Roster(self.threads)
        self.doorbell = Doorbell(self._hear)
        self.feeds = Feeds(self.doorbell, run=self._run, make=self._feed)
        self.presence = Presence(self)
        self._arrivals: Loader[Claims, Arrival] | None = None
        self._taken = 0  # events since the last turn of others
        self._tasks = [
            self.loop.create_task(work)
            for work in (
                self.doorbell.listen(),
                self.doorbell.send(),
                *self.feeds.tasks(),
                self.roster.look_for_ended(),
                *self.presence.tasks(),
            )
        ]

    async def stop(self) -> None:
        """End the hub's tasks and its database threads."""
        for feed in self.feeds.values():
            feed.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.presence.stop()
        await asyncio.to_thread(self.threads.stop)

    async def _run(self, work: Callable[..., Any], *args: Any) -> Any:
        return await self.threads.run(work, *args)

    def _feed(self, name: str) -> Feed:
        return Feed(name, read=self._read, steer=self._steer, fell_behind=self._start_catching_up)

    def batcher(self, route: Route) -> Batcher:
        """The queue of a batched route's calls, one per process."""
        if route.type not in self.batchers:
            self.batchers[route.type] = Batcher(route.handler, self.threads, crowd=route.crowd)
        return self.batchers[route.type]

    async def arrive(self, router: Router, claims: Claims) -> Arrival:
        """Who comes with these claims, and what they follow. Raises: what the router says, Unavailable."""
        if self._arrivals is None:
            self._arrivals = Loader(lambda all_: self.threads.run(router.arrive, all_))
        return await self._arrivals.get(claims)

    # --- Connections ----------------------------------------------------------------------------

    def remove(self, connection: Connection) -> None:
        """Forget a connection and all that it follows."""
        if connection.catching_up:
            connection.catching_up.cancel()
        for following in list(connection.following.values()):
            self._unfollow(connection, following)
        self.roster.remove(connection)
        self.presence.left(connection)

    async def follow(
        self, connection: Connection, places: Iterable[Place], *, from_ready: bool = True
    ) -> None:
        """Let `connection` have the events after each place's `head`, in order, until it ends.

        A stream that it follows already keeps its place.
        """
        places = list(places)
        await self.feeds.open([place.stream for place in places])
        for place in places:
            if not connection.is_open:
                return
            feed = self.feeds[place.stream]
            if known := connection.following.get(place.stream):
                known.since = max(known.since, place.since)
                continue
            following = Following(feed, place.head, place.since, from_ready=from_ready)
            connection.following[place.stream] = feed.followers[connection] = following
            self._go_live_or_catch_up(connection, following)

    def rewind(self, connection: Connection, stream: str, place: int) -> None:
        """Set the connection's place in a stream that it follows; events from `place` + 1 on follow.

        An older cursor, of an earlier membership perhaps, does not open what came before this one.
        """
        following = connection.following[stream]
        following.feed.live.discard(connection)
        following.live, following.place, following.from_ready = False, place, False
        if place < following.since:
            self._skip(connection, following, following.since)
        self._go_live_or_catch_up(connection, following)

    def _unfollow(self, connection: Connection, following: Following) -> None:
        following.feed.live.discard(connection)
        following.feed.followers.pop(connection, None)
        connection.following.pop(following.feed.name, None)

    # --- Catching up ----------------------------------------------------------------------------

    def _go_live_or_catch_up(self, connection: Connection, following: Following) -> None:
        if following.place == following.feed.position:
            following.live = True
            following.feed.live.add(connection)
        else:
            self._start_catching_up(connection)

    def _start_catching_up(self, connection: Connection) -> None:
        if connection.catching_up is None or connection.catching_up.done():
            connection.catching_up = self.loop.create_task(self._catch_up(connection))

    async def _catch_up(self, connection: Connection) -> None:
        """Replay each stream that the connection is behind in, at the pace at which it reads."""
        try:
            while behind := [f for f in connection.following.values() if not f.live]:
                for following in behind:
                    await self._replay(connection, following)
                    if connection.close_code is not None:
                        return
        except Exception as error:  # noqa: BLE001 - the client resumes elsewhere, or later
            logger.warning("replay_interrupted", error=type(error).__name__)
            connection.close(CloseCode.TRY_AGAIN_LATER)

    async def _replay(self, connection: Connection, following: Following) -> None:
        """Send what the log has after the connection's place, until it is where the feed is."""
        feed = following.feed
        while not following.live and connection.following.get(feed.name) is following:
            if following.place == feed.position:
                # Nothing was awaited since the look at the place, so no event can slip in between.
                self._go_live_or_catch_up(connection, following)
                return
            if following.place > feed.position:
                await feed.fill(following.place)
                if following.place > feed.position:
                    self._skip(connection, following, feed.position)  # a place that the log never reached
                continue
            # While the log is read, the feed may pass on events that the read has not seen.
            started_at, logged = following.place, feed.position
            events = await self._read(feed.name, started_at)
            if following.place != started_at:
                continue  # rewound meanwhile
            reached = events[0].pos - 1 if events else logged
            if following.place < reached:
                self._skip(connection, following, reached)  # pruned
            await self._send_replayed(connection, following, events)
            if connection.close_code is not None:
                return

    async def _send_replayed(
        self, connection: Connection, following: Following, events: Iterable[LoggedEvent]
    ) -> None:
        for run in runs(events):
            await connection.has_room()
            # Rewound, ended or closed while waiting: the caller looks again.
            if following.place != run[0].pos - 1 or not connection.offer(outgoing(run)):
                return
            following.place = run[-1].pos
            self._steer(connection, following, run[-1])
            if connection.following.get(following.feed.name) is not following:
                return

    def _skip(self, connection: Connection, following: Following, place: int) -> None:
        """Say exactly which events can't be had, and go on from `place`."""
        low, high = sorted((following.place, place))
        missing = ResyncRequired(following.feed.name, low + 1, high)
        connection.push(protocol.encode(protocol.Frame("resync_required", data=missing)))
        following.place = place

    async def _read(self, stream: str, after: int) -> list[LoggedEvent]:
        return await self.threads.run(log.replay, stream, after=after, limit=PAGE)

    # --- Steering -------------------------------------------------------------------------------

    def _steer(self, connection: Connection, following: Following, event: LoggedEvent) -> None:
        """Obey what an event says about who follows what; the same live and in replay."""
        me = connection.identity and str(connection.identity.user_id)
        if event.ends_for and event.ends_for in (me, EVERYONE) and event.pos > following.since:
            self._unfollow(connection, following)
        if event.opens:
            self._open_for(connection, event.opens, event.opens_after or 0)

    def _open_for(self, connection: Connection, stream: str, after: int) -> None:
        """Let the connection follow a stream from `after` + 1 on, as the event that it has just got says."""
        known = connection.following.get(stream)
        if known is None:
            self.loop.create_task(self._follow_opened(connection, Place(stream, after, after)))
        elif known.from_ready and known.since == after:
            # `ready` told the head already, but the client has yet to see what came before it.
            self.rewind(connection, stream, after)
        else:
            # What ended before this is of an earlier membership.
            known.since = max(known.since, after)

    async def _follow_opened(self, connection: Connection, place: Place) -> None:
        try:
            await self.follow(connection, [place], from_ready=False)
        except Exception as error:  # noqa: BLE001 - whatever it was, the client was told that events follow
            logger.warning("follow_failed", error=type(error).__name__)
            connection.close(CloseCode.TRY_AGAIN_LATER)

    # --- The doorbell ---------------------------------------------------------------------------

    async def _hear(self, message: dict[str, Any]) -> None:
        """Take a message of `realtime.publish`, or of another process's `Presence`."""
        if message["stream"] == presence.STREAM:
            self.presence.hear(message)
            return
        feed = self.feeds.get(message["stream"])
        if feed is None:
            return
        match message["type"]:
            case "events":
                await self._take(feed, [LoggedEvent(feed.name, *event) for event in message["events"]])
            case "ephemeral":
                frame = Outgoing(message["frame"])
                for connection in feed.live:
                    if connection.identity and str(connection.identity.user_id) not in message["not_to"]:
                        connection.offer_ephemeral(frame)
            case "end":
                self.roster.end(UUID(message["user"]), message["sessions"], CloseCode(message["code"]))
            case "surplus":
                self.roster.close_surplus(UUID(message["user"]), message["connections"])

    async def _take(self, feed: Feed, events: list[LoggedEvent]) -> None:
        for start in range(0, len(events), _EVENTS_PER_TURN):
            feed.take(part := events[start : start + _EVENTS_PER_TURN])
            self._taken += len(part)
            if self._taken >= _EVENTS_PER_TURN:
                self._taken = 0
                await asyncio.sleep(0)  # a turn for the writers, so that buffers don't fill


_current: Hub | None = None


def current() -> Hub:
    """The hub of the running loop, started on first use (Daphne has no start-up hook)."""
    global _current  # noqa: PLW0603 - one hub per process is the point
    if _current is None or _current.loop is not asyncio.get_running_loop():
        _current = Hub()
    return _current


async def stop() -> None:
    """Stop the running loop's hub, if there is one."""
    global _current
    if _current is not None and _current.loop is asyncio.get_running_loop():
        hub, _current = _current, None
        await hub.stop()


def vitals() -> tuple[int, float]:
    """How many sockets this process has, and how many seconds what comes now waits for its turn.

    For any thread but the hub's own, which it asks.
    """
    hub = _current
    if hub is None or not hub.loop.is_running():
        return 0, 0.0
    asked, answer = time.perf_counter(), Future[tuple[int, float]]()
    hub.loop.call_soon_threadsafe(lambda: answer.set_result((len(hub.roster), time.perf_counter() - asked)))
    return answer.result(MOST_DELAY_SECONDS)


def start_draining(seconds: float) -> None:
    """Send the connections of the running loop's hub elsewhere; see `Roster.drain`."""
    if _current is not None and _current.loop is asyncio.get_running_loop():
        _current.roster.drain(seconds)


def post_later(key: str, seconds: float, stream: str, message: dict[str, Any] | None) -> None:
    """Ring in `seconds`, unless `key` is used again; None only takes back what is under `key`."""
    hub = _current
    if hub is not None and not hub.loop.is_closed():
        hub.loop.call_soon_threadsafe(hub.doorbell.ring_later, key, seconds, stream, message)


def post(stream: str, message: dict[str, Any]) -> None:
    """Ring from any thread; without a hub in this process, nothing happens."""
    hub = _current
    if hub is not None and not hub.loop.is_closed():
        hub.loop.call_soon_threadsafe(hub.doorbell.ring, stream, message)
