"""The stage of tests of presence: fast servers, and sockets that hear of somebody, or don't."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from friendships.models import Friendship
from realtime.tests.stage import Insider, everything, in_thread
from tests.live import Socket

GRACE = 1
"""PRESENCE_GRACE_SECONDS of the servers that these tests have for themselves."""

TIMING = {"PRESENCE_GRACE_SECONDS": str(GRACE), "WS_HEARTBEAT_SECONDS": "1"}
TTL = 2.25
SWEEP = 1


def befriend(one: Insider, other: Insider) -> None:
    sides = [Friendship(user_id=a.id, friend_id=b.id) for a, b in ((one, other), (other, one))]
    in_thread(Friendship.objects.bulk_create, sides)


async def told(socket: Socket, person: Insider, status: str) -> dict[str, Any]:
    """The next that the socket hears of that person's presence, which is this."""
    while (data := await socket.next_presence())["user_id"] != person.id:
        pass
    assert data.keys() == {"user_id", "status", "last_seen_at"}
    assert data["status"] == status
    return data


async def told_nothing(socket: Socket, person: Insider, seconds: float = GRACE + SWEEP + 0.5) -> None:
    """Fails if the socket hears of that person's presence in the next seconds."""
    before = len(socket.presences)
    await socket.nothing_for(seconds)
    assert [frame for frame in socket.presences[before:] if frame["data"]["user_id"] == person.id] == []


async def enter(stack: AsyncExitStack, person: Insider, **options: Any) -> Socket:
    """A socket of the person's that counts."""
    socket = await stack.enter_async_context(person.socket(**options))
    await everything(socket)
    return socket
