"""The hub of one process: whatever the layer does to rings, every follower gets each event once, in order.

The log is real, the layer is ours, and the followers are connections without a socket.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from channels.layers import InMemoryChannelLayer
from pytest_django import Settings

from core.errors import Unavailable
from core.transactions import transactional
from eventlog import log
from eventlog.log import Draft, LoggedEvent
from eventlog.models import Event
from realtime import hub as hubs
from realtime import publish
from realtime.close_codes import CloseCode
from realtime.connection import Connection
from realtime.hub import Hub
from realtime.router import Identity, Place
from realtime.threads import DatabaseThreads

SECONDS = 20
NEVER = 3600

pytestmark = pytest.mark.django_db(transaction=True)


class Card(msgspec.Struct):
    name: str


# --- Layers -------------------------------------------------------------------------------------


class Layer(InMemoryChannelLayer):
    """A layer that works, with room for all that a test sends."""

    def __init__(self) -> None:
        super().__init__(capacity=100_000, group_expiry=NEVER)


class NoisyLayer(Layer):
    """Of five rings it drops one and doubles one; each comes late by a time of its own, so in another order."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.tasks: set[asyncio.Task[None]] = set()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        for _ in range(self.random.choice([0, 1, 1, 1, 2])):
            task = asyncio.create_task(self._later(self.random.choice([0, 0.02, 0.1]), group, message))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _later(self, seconds: float, group: str, message: dict[str, Any]) -> None:
        await asyncio.sleep(seconds)
        await super().group_send(group, message)


class DeafLayer(Layer):
    """Takes every ring and passes none on."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        pass


class DeadLayer(Layer):
    async def group_add(self, group: str, channel: str) -> None:
        raise ConnectionError

    async def group_discard(self, group: str, channel: str) -> None:
        raise ConnectionError

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        raise ConnectionError

    async def receive(self, channel: str) -> dict[str, Any]:
        raise ConnectionError


class GatedLayer(Layer):
    """Ends no membership until the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.gate = asyncio.Event(), asyncio.Event()

    async def group_discard(self, group: str, channel: str) -> None:
        self.asked.set()
        await self.gate.wait()
        await super().group_discard(group, channel)


class GatedThreads(DatabaseThreads):
    """Holds back the result of the first `work` until the gate opens, or lets every `work` fail."""

    def __init__(self, work: Callable[..., Any], *, fails: bool = False) -> None:
        super().__init__()
        self.work, self.fails = work, fails
        self.read, self.gate = asyncio.Event(), asyncio.Event()

    async def run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.fails and work is self.work:
            raise Unavailable
        result = await super().run(work, *args, **kwargs)
        if work is self.work and not self.read.is_set():
            self.read.set()
            await self.gate.wait()
        return result


# --- The stage ----------------------------------------------------------------------------------


@asynccontextmanager
async def running(
    settings: Settings, layer: Any, *, poll: float = 0.1, threads: DatabaseThreads | None = None
) -> AsyncIterator[Hub]:
    """This loop's hub, on that layer, with a look at the heads every `poll` seconds."""
    settings.HEAD_POLL_SECONDS = poll
    hub = hubs.current()
    hub.doorbell.layer = layer
    first = hub.threads
    hub.threads = threads or first
    try:
        yield hub
    finally:
        await hubs.stop()
        if hub.threads is not first:
            await asyncio.to_thread(first.stop)


class Follower:
    """A connection whose other end keeps what it gets. It reads while `reads` is set."""

    def __init__(self, hub: Hub, user_id: UUID | None = None, *, reads: bool = True) -> None:
        self.hub = hub
        self.frames: list[dict[str, Any]] = []
        self.reads = asyncio.Event()
        if reads:
            self.reads.set()
        self._news = asyncio.Condition()
        self.connection = Connection(self._send, None)
        self.connection.identity = Identity(user_id or uuid4(), uuid4(), 0, Card("someone"))
        hub.add(self.connection)
        self.writer = asyncio.create_task(self.connection.write())

    async def _send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        async with self._news:
            if message["type"] == "websocket.send":
                self.frames.append(json.loads(message["text"]))
            self._news.notify_all()

    async def follow(self, **heads: int) -> None:
        await self.hub.follow(self.connection, [Place(stream, head) for stream, head in heads.items()])

    def leave(self) -> None:
        """As the consumer does it when a socket is gone."""
        self.hub.remove(self.connection)
        self.connection.stop()
        self.writer.cancel()

    def positions(self, stream: str = "a") -> list[int]:
        return [frame["pos"] for frame in self.frames if frame.get("stream") == stream and "pos" in frame]

    def types(self) -> list[str]:
        return [frame["type"] for frame in self.frames]

    async def until(self, position: int, stream: str = "a") -> list[int]:
        """All positions of the stream, once that one is among them."""
        await self.hears(lambda: position in self.positions(stream))
        return self.positions(stream)

    async def hears(self, condition: Callable[[], bool]) -> None:
        """Wait until what has come in fulfils the condition."""
        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(condition)


async def append(hub: Hub, stream: str = "a", count: int = 1, **fields: Any) -> list[LoggedEvent]:
    """Log events in one transaction, as a service would."""

    @transactional
    def save() -> list[LoggedEvent]:
        drafts = (Draft(stream=stream, type="message", data={}, **fields) for _ in range(count))
        return log.lock(stream).append(*drafts)

    return await hub.threads.run(save)


async def eventually(condition: Callable[[], object]) -> None:
    """For what happens inside the hub, of which nothing tells."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# --- What the layer may do ----------------------------------------------------------------------


class TestLayerTroubles:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    async def test_rings_that_are_lost_doubled_late_and_out_of_order_harm_nothing(
        self, settings: Settings, seed: int
    ) -> None:
        async with running(settings, NoisyLayer(seed)) as hub:
            early = [Follower(hub) for _ in range(8)]
            for follower in early:
                await follower.follow(a=0, b=0)

            async def write(stream: str) -> None:
                for _ in range(40):
                    await append(hub, stream, count=2)

            writers = [asyncio.create_task(write(stream)) for stream in ("a", "a", "b")]
            late = []
            for head in (0, 5, 10):
                await early[0].until(10 * (len(late) + 1))
                late.append((head, follower := Follower(hub)))
                await follower.follow(a=head, b=0)
            await asyncio.gather(*writers)
            for head, follower in [*((0, follower) for follower in early), *late]:
                assert await follower.until(160) == list(range(head + 1, 161))
                assert await follower.until(80, "b") == list(range(1, 81))

    async def test_rings_that_come_whole_are_passed_on_without_a_look_at_the_log(
        self, settings: Settings
    ) -> None:
        async with running(settings, Layer(), poll=NEVER) as hub:
            follower = Follower(hub)
            await follower.follow(a=0)
            await append(hub, count=3)
            assert await follower.until(3) == [1, 2, 3]
            assert hub.feeds["a"].filling is None

    async def test_a_hole_is_filled_from_the_log_at_once(self, settings: Settings) -> None:
        layer = DeafLayer()
        async with running(settings, layer, poll=NEVER) as hub:
            follower = Follower(hub)
            await follower.follow(a=0)
            await append(hub, count=150)
            last = await append(hub)
            # Only the last one is told of.
            await hub._hear({"type": "events", "stream": "a", "events": [list(last[0][1:])]})
            assert await follower.until(151) == list(range(1, 152))

    async def test_a_dead_layer_leaves_the_look_at_the_heads(self, settings: Settings) -> None:
        async with running(settings, DeadLayer()) as hub:
            followers = [Follower(hub), Follower(hub)]
            for follower in followers:
                await follower.follow(a=0)
            for _ in range(3):
                await append(hub, count=50)
            for follower in followers:
                assert await follower.until(150) == list(range(1, 151))
            assert not hub.feeds["a"].subscribed

    async def test_a_layer_that_comes_back_is_used_again(self, settings: Settings) -> None:
        async with running(settings, DeadLayer()) as hub:
            follower = Follower(hub)
            await follower.follow(a=0)
            hub.doorbell.layer = Layer()
            await eventually(lambda: hub.feeds["a"].subscribed)
            settings.HEAD_POLL_SECONDS = NEVER
            await append(hub)
            assert await follower.until(1) == [1]

    async def test_a_message_that_makes_no_sense_does_not_deafen(self, settings: Settings) -> None:
        layer = Layer()
        async with running(settings, layer, poll=NEVER) as hub:
            follower = Follower(hub)
            await follower.follow(a=0)
            for message in ({"type": "events"}, {"type": "events", "stream": "a", "events": [["x"]]}):
                await layer.group_send("a", message)
            await append(hub)
            assert await follower.until(1) == [1]

    async def test_rings_for_streams_that_nobody_follows_here_are_ignored(self, settings: Settings) -> None:
        async with running(settings, Layer(), poll=NEVER) as hub:
            follower = Follower(hub)
            await follower.follow(a=0)
            await append(hub, "elsewhere")
            await hub._hear({"type": "events", "stream": "elsewhere", "events": [[1, "message", "{}"]]})
            await append(hub)
            assert await follower.until(1) == [1]
            assert set(hub.feeds) == {"a"}


# --- Places -------------------------------------------------------------------------------------


class TestPlaces:
    async def test_a_follower_ahead_of_the_feed_waits_for_it_and_misses_nothing(
        self, settings: Settings
    ) -> None:
        """It read the head in the database before this process heard of the events."""
        async with running(settings, DeafLayer(), poll=NEVER) as hub:
            first = Follower(hub)
            await first.follow(a=0)
            await append(hub, count=5)
            second = Follower(hub)
            await second.follow(a=5)
            assert await first.until(5) == [1, 2, 3, 4, 5]
            last = await append(hub)
            await hub._hear({"type": "events", "stream": "a", "events": [list(last[0][1:])]})
            assert await second.until(6) == [6]
            assert "resync_required" not in second.types()

    async def test_a_follower_ahead_of_a_read_that_is_under_way_waits_for_the_next_one(
        self, settings: Settings
    ) -> None:
        threads = GatedThreads(log.replay)
        async with running(settings, DeafLayer(), poll=NEVER, threads=threads) as hub:
            first, second, third = Follower(hub), Follower(hub), Follower(hub)
            await first.follow(a=0)
            await append(hub)
            await second.follow(a=1)
            # The feed's read for the second has seen one event, and is not back yet.
            await threads.read.wait()
            await append(hub)
            await third.follow(a=2)
            threads.gate.set()
            assert await first.until(2) == [1, 2]
            assert await second.until(2) == [2]
            last = await append(hub)
            await hub._hear({"type": "events", "stream": "a", "events": [list(last[0][1:])]})
            assert await third.until(3) == [3]
            assert "resync_required" not in third.types()

    async def test_a_place_that_the_log_never_reached_is_told_exactly(self, settings: Settings) -> None:
        async with running(settings, Layer()) as hub:
            await append(hub, count=2)
            follower = Follower(hub)
            await follower.follow(a=9)
            await follower.hears(lambda: "resync_required" in follower.types())
            await append(hub)
            assert await follower.until(3) == [3]
            assert follower.frames[0] == {
                "type": "resync_required",
                "data": {"stream": "a", "from": 3, "to": 9},
            }

    async def test_events_that_were_pruned_are_told_exactly(self, settings: Settings) -> None:
        async with running(settings, Layer()) as hub:
            await append(hub, count=10)
            await hub.threads.run(Event.objects.filter(stream__name="a", pos__lte=6).delete)
            follower = Follower(hub)
            await follower.follow(a=2)
            assert await follower.until(10) == [7, 8, 9, 10]
            assert follower.frames[0]["data"] == {"stream": "a", "from": 3, "to": 6}

    async def test_the_database_being_away_is_not_taken_for_a_hole(self, settings: Settings) -> None:
        async with running(settings, DeafLayer(), poll=NEVER) as hub:
            first = Follower(hub)
            await first.follow(a=0)
            await append(hub)
            hub.threads = GatedThreads(log.replay, fails=True)
            second = Follower(hub)
            await second.follow(a=1)
            await eventually(lambda: second.connection.close_code)
            assert second.connection.close_code is CloseCode.TRY_AGAIN_LATER
            assert second.frames == []

    async def test_a_rewind_replays_and_goes_live_again(self, settings: Settings) -> None:
        async with running(settings, Layer(), poll=NEVER) as hub:
            follower = Follower(hub)
            await follower.follow(a=0)
            await append(hub, count=4)
            await follower.until(4)
            hub.rewind(follower.connection, "a", 2)
            await eventually(lambda: follower.connection.following["a"].live)
            await append(hub)
            assert await follower.until(5) == [1, 2, 3, 4, 3, 4, 5]


# --- Slow followers -----------------------------------------------------------------------------


class TestSlowFollower:
    async def test_holds_up_nobody_and_catches_up_by_itself(self, settings: Settings) -> None:
        settings.WS_BUFFER_FRAMES, settings.WS_SLOW_SECONDS = 32, NEVER
        async with running(settings, Layer()) as hub:
            quick, slow = Follower(hub), Follower(hub, reads=False)
            for follower in (quick, slow):
                await follower.follow(a=0)
            for _ in range(30):
                await append(hub, count=10)
            assert await quick.until(300) == list(range(1, 301))
            assert slow.frames == []
            assert not slow.connection.following["a"].live
            assert len(slow.connection._frames) <= 32
            slow.reads.set()
            assert await slow.until(300) == list(range(1, 301))
            await eventually(lambda: slow.connection.following["a"].live)
            await append(hub)
            assert await slow.until(301) == list(range(1, 302))

    async def test_one_that_never_reads_is_let_go_and_the_others_go_on(self, settings: Settings) -> None:
        settings.WS_BUFFER_FRAMES, settings.WS_SLOW_SECONDS = 32, 0.2
        async with running(settings, Layer()) as hub:
            quick, slow = Follower(hub), Follower(hub, reads=False)
            for follower in (quick, slow):
                await follower.follow(a=0)
            for _ in range(10):
                await append(hub, count=10)
            await eventually(lambda: slow.connection.close_code)
            assert slow.connection.close_code is CloseCode.SLOW_CONSUMER
            slow.leave()
            await append(hub)
            assert await quick.until(101) == list(range(1, 102))
            assert set(hub.feeds["a"].followers) == {quick.connection}


# --- Feeds that come and go ---------------------------------------------------------------------


class TestFeeds:
    async def test_those_without_followers_are_let_go(self, settings: Settings) -> None:
        layer = Layer()
        async with running(settings, layer) as hub:
            stays, goes = Follower(hub), Follower(hub)
            await stays.follow(a=0)
            await goes.follow(a=0, b=0)
            assert set(layer.groups) == {"a", "b"}
            goes.leave()
            await eventually(lambda: set(hub.feeds) == {"a"})
            await eventually(lambda: set(layer.groups) == {"a"})
            assert goes.connection.following == {}
            await append(hub)
            assert await stays.until(1) == [1]

    async def test_one_that_is_asked_for_again_begins_where_the_log_is(self, settings: Settings) -> None:
        async with running(settings, Layer()) as hub:
            first = Follower(hub)
            await first.follow(a=0)
            first.leave()
            await eventually(lambda: not hub.feeds)
            await append(hub, count=3)
            second = Follower(hub)
            await second.follow(a=3)
            await append(hub)
            assert await second.until(4) == [4]

    async def test_who_comes_while_idle_feeds_are_let_go_keeps_theirs(self, settings: Settings) -> None:
        layer = GatedLayer()
        async with running(settings, layer, poll=NEVER) as hub:
            first = Follower(hub)
            await first.follow(a=0, b=0)
            first.leave()
            closing = asyncio.create_task(hub._close_idle())
            await layer.asked.wait()  # "a" is on its way out, and "b" would be the next
            second = Follower(hub)
            await second.follow(b=0)
            layer.gate.set()
            await closing
            await append(hub, "b")
            assert await second.until(1, "b") == [1]

    async def test_one_membership_serves_all_followers(self, settings: Settings) -> None:
        layer = Layer()
        async with running(settings, layer, poll=NEVER) as hub:
            for _ in range(10):
                await Follower(hub).follow(a=0)
            assert [len(channels) for channels in layer.groups.values()] == [1]


# --- What events say about who follows what -----------------------------------------------------


class TestSteering:
    async def test_an_ending_is_the_last_event_for_that_user_on_all_connections(
        self, settings: Settings
    ) -> None:
        alice, bob = uuid4(), uuid4()
        async with running(settings, Layer()) as hub:
            hers, phone, laptop = Follower(hub, alice), Follower(hub, bob), Follower(hub, bob)
            for follower in (hers, phone, laptop):
                await follower.follow(a=0)
            await append(hub)
            await append(hub, ends_for=str(bob))
            await append(hub)
            assert await hers.until(3) == [1, 2, 3]
            for follower in (phone, laptop):
                assert await follower.until(2) == [1, 2]
                assert follower.connection.following == {}

    async def test_an_ending_for_all_ends_it_for_all(self, settings: Settings) -> None:
        async with running(settings, Layer()) as hub:
            followers = [Follower(hub), Follower(hub)]
            for follower in followers:
                await follower.follow(a=0)
            await append(hub, ends_for="*")
            for follower in followers:
                assert await follower.until(1) == [1]
            await eventually(lambda: not hub.feeds)

    async def test_an_ending_ends_a_replay_as_well(self, settings: Settings) -> None:
        bob = uuid4()
        async with running(settings, Layer()) as hub:
            await append(hub, count=3)
            await append(hub, ends_for=str(bob))
            await append(hub, count=3)
            follower, other = Follower(hub, bob), Follower(hub)
            for one in (follower, other):
                await one.follow(a=1)
            assert await other.until(7) == [2, 3, 4, 5, 6, 7]
            assert await follower.until(4) == [2, 3, 4]

    async def test_an_ending_before_the_subscription_began_is_history(self, settings: Settings) -> None:
        bob = uuid4()
        async with running(settings, Layer()) as hub:
            await append(hub, ends_for=str(bob))
            await append(hub, count=3)
            follower = Follower(hub, bob)
            await hub.follow(follower.connection, [Place("a", 0, since=2)])
            assert await follower.until(4) == [1, 2, 3, 4]
            await append(hub)
            assert await follower.until(5) == [1, 2, 3, 4, 5]

    async def test_an_opening_lets_the_follower_have_the_other_stream_from_there(
        self, settings: Settings
    ) -> None:
        async with running(settings, Layer()) as hub:
            await append(hub, "b", count=4)
            follower = Follower(hub)
            await follower.follow(a=0)
            await append(hub, opens="b", opens_after=2)
            assert await follower.until(4, "b") == [3, 4]
            await append(hub, "b")
            assert await follower.until(5, "b") == [3, 4, 5]

    async def test_an_opening_moves_back_who_follows_from_ready_but_not_who_named_a_cursor(
        self, settings: Settings
    ) -> None:
        async with running(settings, Layer()) as hub:
            await append(hub, "b", count=4)
            await append(hub, opens="b", opens_after=1)
            places = [Place("a", 1), Place("b", 4, since=1)]
            plain, named = Follower(hub), Follower(hub)
            for follower in (plain, named):
                await hub.follow(follower.connection, places)
                hub.rewind(follower.connection, "a", 0)
            hub.rewind(named.connection, "b", 3)
            assert await plain.until(4, "b") == [2, 3, 4]
            assert await named.until(4, "b") == [4]
            # Once it has been given its place, another replay gives it nothing twice.
            hub.rewind(plain.connection, "a", 0)
            await plain.hears(lambda: plain.positions("a") == [1, 1])
            await append(hub, "b")
            assert await plain.until(5, "b") == [2, 3, 4, 5]

    async def test_an_opening_that_fails_closes_since_the_client_counts_on_it(
        self, settings: Settings
    ) -> None:
        async with running(settings, Layer(), poll=NEVER) as hub:
            follower = Follower(hub)
            await follower.follow(a=0)
            hub.threads = GatedThreads(log.heads, fails=True)
            await append(hub, opens="b", opens_after=0)
            await eventually(lambda: follower.connection.close_code)
            assert follower.connection.close_code is CloseCode.TRY_AGAIN_LATER

    async def test_who_is_gone_before_the_opening_is_done_leaves_nothing_behind(
        self, settings: Settings
    ) -> None:
        threads = GatedThreads(log.heads)
        async with running(settings, Layer(), poll=NEVER) as hub:
            follower = Follower(hub)
            await follower.follow(a=0)
            hub.threads = threads
            await append(hub, opens="b", opens_after=0)
            await threads.read.wait()
            follower.leave()
            threads.gate.set()
            await eventually(lambda: hub.feeds["b"].position == 0)
            await hub._close_idle()
            assert not hub.feeds
            assert follower.connection.following == {}


# --- What is not kept ---------------------------------------------------------------------------


class TestEphemera:
    async def test_they_reach_every_follower_but_the_one_they_are_about(self, settings: Settings) -> None:
        alice = uuid4()
        async with running(settings, Layer()) as hub:
            hers, his = Follower(hub, alice), Follower(hub)
            for follower in (hers, his):
                await follower.follow(a=0)
            publish.send_ephemeral("a", "typing", {"is_typing": True}, not_to=alice)
            await append(hub)
            for follower in (hers, his):
                await follower.until(1)
            assert hers.types() == ["message"]
            assert his.types() == ["typing", "message"]
            assert his.frames[0].keys() == {"type", "stream", "ts", "data"}


class TestEnd:
    async def test_it_closes_the_connections_of_the_sessions_named_or_of_all(
        self, settings: Settings
    ) -> None:
        alice = uuid4()
        stream = log.user_stream(alice)
        async with running(settings, Layer()) as hub:
            one, two, three, other = *(Follower(hub, alice) for _ in range(3)), Follower(hub)
            for follower in (one, two, three, other):
                await hub.follow(follower.connection, [Place(stream, 0)])
            session = one.connection.identity.session_id
            publish.end_connections(alice, session_ids=[session], code=CloseCode.SESSION_ENDED)
            await eventually(lambda: one.connection.close_code)
            assert two.connection.is_open
            publish.end_connections(alice, session_ids=None, code=CloseCode.SUSPENDED)
            await eventually(lambda: two.connection.close_code)
            codes = [follower.connection.close_code for follower in (one, two, three, other)]
            assert codes == [CloseCode.SESSION_ENDED, CloseCode.SUSPENDED, CloseCode.SUSPENDED, None]


class TestCurrent:
    async def test_a_loop_has_one_hub_until_it_is_stopped(self) -> None:
        first = hubs.current()
        assert hubs.current() is first
        await hubs.stop()
        second = hubs.current()
        assert second is not first
        await hubs.stop()

    def test_without_a_hub_a_ring_is_left_out(self) -> None:
        hubs.post("a", {"type": "events", "stream": "a", "events": []})
