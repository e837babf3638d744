"""What a fault is, and what it may lay hands on."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from chaos.client import Client
from chaos.history import History
from chaos.stage import Stage, Web


class Scene(NamedTuple):
    """The system, those who use it, and the dice of this run."""

    stage: Stage
    clients: list[Client]
    rooms: dict[str, list[Client]]  # their first members, the owner first
    history: History
    dice: random.Random

    def busiest_web(self) -> Web:
        """The process that most clients are connected to: one that nobody misses is no loss."""
        load = Counter(session.web for session in self.history.sessions if session.gone is None)
        return max(self.stage.webs, key=lambda web: load[web.number])


class Fault(NamedTuple):
    """`run` breaks something and returns when it is whole again."""

    name: str
    run: Callable[[Scene], Awaitable[None]]


async def freeze(process: subprocess.Popen[bytes] | None, seconds: float) -> None:
    """SIGSTOP: the process is there, and does nothing."""
    assert process
    process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        process.send_signal(signal.SIGCONT)
