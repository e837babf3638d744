"""Two processes behind one Redis: what a delivery and a message cost together, beside one process alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count

from bench.people import Account, people, rooms
from bench.report import Outcome, Row, mid, ratio_of
from bench.scale import Scale
from bench.sockets import ACK, MESSAGE, Audience, connect, our_frame
from bench.stage import Process, Stage

MOST = 1.1


class Crowd:
    """The members of one room, spread over some processes, and one who talks."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self.processes = processes
        self.audience = Audience(MESSAGE)
        self.acks = Audience(ACK)
        self._numbers = count()

    async def gather(self, accounts: Sequence[Account]) -> None:
        self._frame = our_frame(rooms([accounts])[0])
        for place, process in enumerate(self.processes):
            mine = accounts[1 + place :: len(self.processes)]
            await self.audience.gather(
                f"ws://127.0.0.1:{process.port}/ws", [account.token for account in mine]
            )
        url = f"ws://127.0.0.1:{self.processes[0].port}/ws"
        self._talker = await connect(url, self.acks.hear, token=accounts[0].token)
        await asyncio.sleep(2)

    async def cost(self, messages: int) -> float:
        """Microseconds of all processes' time for each message."""
        before = sum(process.cpu for process in self.processes)
        for _ in range(messages):
            self.audience.expect(len(self.audience.clients))
            self.acks.expect(1)
            self._talker.say(self._frame(f"p{next(self._numbers)}"))
            await self.acks.all()
            await self.audience.all()
        return (sum(process.cpu for process in self.processes) - before) / messages * 1e6

    def close(self) -> None:
        self.audience.close()
        self._talker.close()


async def run(stage: Stage, scale: Scale) -> Outcome:
    rows = []
    with ExitStack() as servers:
        alone_on, *both = [servers.enter_context(stage.ours()) for _ in range(3)]
        # The small crowd first: what the end of a large one costs would be the next one's.
        for what, size, messages, unit in (
            ("message", 4, scale.rounds * 10, 1),
            ("delivery", scale.listeners, scale.rounds, scale.listeners),
        ):
            with ExitStack() as stack:
                one, two = Crowd([alone_on]), Crowd(both)
                await asyncio.gather(*(crowd.gather(people(size + 1)) for crowd in (one, two)))
                for crowd in (one, two):
                    stack.callback(crowd.close)
                    await crowd.cost(5)
                alone, together = [], []
                for _ in range(scale.turns):
                    alone.append(await one.cost(messages) / unit)
                    together.append(await two.cost(messages) / unit)
            ratio = ratio_of(together, alone)
            rows.append(
                Row(
                    f"2 processes, processor time a {what}",
                    "within 10 % of 1 process",
                    f"{mid(together):,.1f} µs",
                    f"1 process {mid(alone):,.1f} µs",
                    f"{ratio:.2f}",
                    ratio <= MOST,
                )
            )
    return Outcome(rows)
