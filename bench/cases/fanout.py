"""Fan-out: one message to every socket of a room. Processor time of the server process for each delivery.

Ours are two processes: one that takes and saves the message, and one that has the listeners. What the second one does
is what the other servers do; what both do together is measured, too.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from itertools import count

from bench.people import people, rooms
from bench.report import Bars, Outcome, Row, mid, ratio_of
from bench.scale import Scale
from bench.sockets import MESSAGE, Audience, Client, connect, our_frame
from bench.stage import Process, Stage, install_node_servers
from realtime.protocol import Outgoing

BURST = 20


class Broadcast:
    """A server with its listeners and one who talks, perhaps to another process."""

    def __init__(
        self,
        process: Process,
        audience: Audience,
        talker: Client,
        message: Callable[[], bytes],
        talks_to: Process | None = None,
    ) -> None:
        self.process = process
        self.talks_to = talks_to
        self.audience = audience
        self.saving = 0.0  # what the process that is talked to cost the last time, for each delivery
        self._talker = talker
        self._message = message

    async def cost(self, rounds: int, burst: int = 1) -> float:
        """Microseconds of the server's processor time for each delivery; each burst once the last one is all there."""
        before, saved_before = self.process.cpu, self.talks_to.cpu if self.talks_to else 0
        frames = burst * len(self.audience.clients)
        for _ in range(rounds):
            self.audience.expect(frames)
            for _ in range(burst):
                self._talker.say(self._message())
            await self.audience.all()
        if self.talks_to:
            self.saving = (self.talks_to.cpu - saved_before) / (rounds * frames) * 1e6
        return (self.process.cpu - before) / (rounds * frames) * 1e6


async def run(stage: Stage, scale: Scale) -> Outcome:
    accounts = people(scale.listeners + 1)
    room = rooms([accounts])[0]
    async with AsyncExitStack() as stack:
        process, saving = stack.enter_context(stage.ours()), stack.enter_context(stage.ours())
        frames: list[bytes] = []
        audience = Audience(MESSAGE)
        stack.callback(audience.close)
        await audience.gather(
            f"ws://127.0.0.1:{process.port}/ws", [account.token for account in accounts[1:]]
        )
        talker = await connect(f"ws://127.0.0.1:{saving.port}/ws", frames.append, token=accounts[0].token)
        frame, numbers = our_frame(room), count()
        all_ = {"ours": Broadcast(process, audience, talker, lambda: frame(f"m{next(numbers)}"), saving)}
        await asyncio.sleep(2)  # everyone is ready by then
        await all_["ours"].cost(1)
        sample = await _message_among(frames)
        all_ |= await _others(stage, stack, scale, sample)
        return await _compared(all_, scale)


async def _message_among(frames: list[bytes]) -> bytes:
    """The first message; the talker may get its own after all others have it."""
    while True:
        for frame in frames:
            if frame.startswith(MESSAGE):
                return frame
        await asyncio.sleep(0.01)


async def _others(stage: Stage, stack: AsyncExitStack, scale: Scale, sample: bytes) -> dict[str, Broadcast]:
    """The baselines, each with frames as long as ours."""
    text = "x" * (len(sample) - len('{"message": ""}'))
    floor = stack.enter_context(stage.floor(Outgoing(sample.decode()).wire))
    tutorial = stack.enter_context(stage.tutorial())
    wanted = {
        "floor": (floor, "/", b"{", sample),
        "tutorial": (tutorial, "/ws/hall", b"{", json.dumps({"message": text}).encode()),
    }
    if scale.node and install_node_servers() is None:
        ws = stack.enter_context(stage.node("ws"))
        socketio = stack.enter_context(stage.node("socketio"))
        emit = b'42["message",' + json.dumps(text).encode() + b"]"
        wanted["ws"] = (ws, "/", b"{", sample)
        wanted["socket.io"] = (socketio, "/socket.io/?EIO=4&transport=websocket", b"42", emit)
    broadcasts = {}
    for name, (process, path, begins, message) in wanted.items():
        url = f"ws://127.0.0.1:{process.port}{path}"
        audience = Audience(begins)
        stack.callback(audience.close)
        await audience.gather(url, [None] * scale.listeners)
        talker = await connect(url, lambda _: None)
        if name == "socket.io":
            for client in [*audience.clients, talker]:
                client.say(b"40")
        await asyncio.sleep(1)
        broadcasts[name] = Broadcast(process, audience, talker, partial(_same, message))
        await broadcasts[name].cost(1)
    return broadcasts


def _same(message: bytes) -> bytes:
    return message


async def _compared(all_: dict[str, Broadcast], scale: Scale) -> Outcome:
    costs: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(scale.turns):
        for name, broadcast in all_.items():
            rounds = scale.rounds if name != "tutorial" else max(1, scale.rounds // 30)
            costs[name].append(await broadcast.cost(rounds))
        costs["saving"].append(costs["ours"][-1] + all_["ours"].saving)
        costs["bursts"].append(await all_["ours"].cost(max(1, scale.rounds // 10), BURST))
    figures = {name: mid(values) for name, values in costs.items()}
    ours = f"{figures['ours']:.1f} µs"
    case = f"fan-out to {scale.listeners:,} sockets, processor time each"
    rows = []
    for name, goal, most in (
        ("tutorial", "≤ 1/40 of the tutorial", 1 / 40),
        ("floor", "≤ 1.25 × the floor", 1.25),
        ("ws", "below npm ws", 1),
        ("socket.io", "below Socket.IO", 1),
    ):
        if name not in costs:
            rows.append(Row(case, goal, ours, f"{name} is not here", "-", None))
            continue
        ratio = ratio_of(costs["ours"], costs[name])
        rows.append(Row(case, goal, ours, f"{name} {figures[name]:.1f} µs", f"{ratio:.3g}", ratio <= most))
    rows.append(
        Row(
            "the same, with saving and announcing it",
            "-",
            f"{figures['saving']:.1f} µs",
            f"floor {figures['floor']:.1f} µs",
            f"{ratio_of(costs['saving'], costs['floor']):.3g}",
            None,
        )
    )
    ratio = ratio_of(costs["bursts"], costs["floor"])
    rows.append(
        Row(
            f"the same, bursts of {BURST} messages",
            "below the floor's one write a frame",
            f"{figures['bursts']:.1f} µs",
            f"floor {figures['floor']:.1f} µs",
            f"{ratio:.3g}",
            ratio < 1,
        )
    )
    names = {"saving": "ours, with saving", "bursts": f"ours, bursts of {BURST}"}
    bars = {names.get(name, name): value for name, value in figures.items() if name != "tutorial"}
    return Outcome(
        rows,
        [Bars("fanout", "Processor time for each delivery", "µs", bars)],
        [
            (
                "Fan-out: what the process with the listeners needs. The message is taken, checked, saved in MariaDB and "
                "announced over Redis by another one, whose share is in `with saving`; the other servers do nothing of "
                "the kind. The tutorial is not in the picture: it would be "
                f"{figures['tutorial'] / figures['ours']:.0f} times as long as ours."
            )
        ],
    )
