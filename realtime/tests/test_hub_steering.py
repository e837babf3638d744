"""The hub obeys what events say about who follows what; ephemera, endings, one hub per loop."""

from __future__ import annotations

from uuid import uuid4

import pytest
from pytest_django import Settings

from eventlog import log
from realtime import hub as hubs
from realtime import publish
from realtime.close_codes import CloseCode
from realtime.router import Place
from realtime.tests.hub_stage import NEVER, Follower, GatedThreads, Layer, append, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


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
            await hub.feeds.close_idle()
            assert not hub.feeds
            assert follower.connection.following == {}


# --- What is not kept ---------------------------------------------------------------------------


class TestEphemera:
    async def test_they_reach_every_follower_but_those_left_out(self, settings: Settings) -> None:
        alice, charlie = uuid4(), uuid4()
        async with running(settings, Layer()) as hub:
            hers, his, theirs = Follower(hub, alice), Follower(hub), Follower(hub, charlie)
            for follower in (hers, his, theirs):
                await follower.follow(a=0)
            publish.send_ephemeral("a", "typing", {"is_typing": True}, not_to={alice, charlie})
            await append(hub)
            for follower in (hers, his, theirs):
                await follower.until(1)
            assert hers.types() == theirs.types() == ["message"]
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
