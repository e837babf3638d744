"""The hub of one process: whatever the layer does to rings, every follower gets each event once, in order.

The log is real, the layer is ours, and the followers are connections without a socket.
"""

from __future__ import annotations

import asyncio

import pytest
from pytest_django import Settings

from eventlog import log
from eventlog.models import Event
from realtime.close_codes import CloseCode
from realtime.tests.hub_stage import (
    NEVER,
    DeadLayer,
    DeafLayer,
    Follower,
    GatedLayer,
    GatedThreads,
    Layer,
    NoisyLayer,
    StumblingLayer,
    append,
    eventually,
    hear,
    running,
)

pytestmark = pytest.mark.django_db(transaction=True)


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
            # Only the last one is told of.
            await hear(hub, await append(hub))
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
            await hear(hub, await append(hub, "elsewhere"))
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
            await hear(hub, await append(hub))
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
            await hear(hub, await append(hub))
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

    async def test_what_is_passed_on_during_a_read_is_not_taken_for_pruned(self, settings: Settings) -> None:
        threads = GatedThreads(log.replay)
        async with running(settings, DeafLayer(), poll=NEVER, threads=threads) as hub:
            first, second = Follower(hub), Follower(hub)
            await first.follow(a=0)
            await hear(hub, await append(hub, count=2))
            await hub.threads.run(Event.objects.filter(stream__name="a").delete)
            await second.follow(a=0)
            # The second's read has found nothing, and is not back yet.
            await threads.read.wait()
            await hear(hub, await append(hub))
            threads.gate.set()
            assert await second.until(3) == [3]
            assert second.frames[0]["data"] == {"stream": "a", "from": 1, "to": 2}
            assert await first.until(3) == [1, 2, 3]

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
            assert len(slow.connection._waiting) <= 32
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
            assert set(layer.groups) - {"presence"} == {"a", "b"}
            goes.leave()
            await eventually(lambda: set(hub.feeds) == {"a"})
            await eventually(lambda: set(layer.groups) - {"presence"} == {"a"})
            assert goes.connection.following == {}
            await append(hub)
            assert await stays.until(1) == [1]

    async def test_a_layer_that_breaks_does_not_end_their_tending(self, settings: Settings) -> None:
        layer = StumblingLayer()
        async with running(settings, layer) as hub:
            follower = Follower(hub)
            await follower.follow(a=0, b=0)
            follower.leave()
            await eventually(lambda: not hub.feeds)
            assert layer.stumbled

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
            closing = asyncio.create_task(hub.feeds.close_idle())
            await layer.asked.wait()  # "a" is on its way out, and "b" would be the next
            second = Follower(hub)
            await second.follow(b=0)
            layer.gate.set()
            await closing
            await append(hub, "b")
            assert await second.until(1, "b") == [1]

    async def test_who_comes_just_before_idle_feeds_are_let_go_keeps_theirs(self, settings: Settings) -> None:
        threads = GatedThreads(log.heads)
        async with running(settings, Layer(), poll=NEVER, threads=threads) as hub:
            follower = Follower(hub)
            following = asyncio.create_task(follower.follow(a=0))
            await threads.read.wait()  # the feed is there, and not followed yet
            closing = asyncio.create_task(hub.feeds.close_idle())
            await asyncio.sleep(0)
            threads.gate.set()
            await asyncio.gather(following, closing)
            await append(hub)
            assert await follower.until(1) == [1]

    async def test_one_membership_serves_all_followers(self, settings: Settings) -> None:
        layer = Layer()
        async with running(settings, layer, poll=NEVER) as hub:
            for _ in range(10):
                await Follower(hub).follow(a=0)
            assert len(layer.groups["a"]) == 1


# --- What events say about who follows what -----------------------------------------------------
