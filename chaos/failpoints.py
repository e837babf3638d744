"""Points at which a server process can be made to die by SIGKILL, with nothing written after it, or to stop.

A point is armed by its switch, a number: so many passes later the process is gone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Sequence
from typing import Any

from channels.layers import get_channel_layer

from chaos import switches
from core.errors import ChatError
from messaging import services
from messaging.services import sending

_SECONDS_TO_ACK = 0.1


class _Fuse:
    """Counts the passes of an armed point."""

    def __init__(self, point: str) -> None:
        self._switch = switches.of_one(point, int(os.environ[switches.WEB]))
        self._passes = 0

    def burns_out(self) -> bool:
        """Whether this pass is the last one."""
        limit = switches.value(self._switch)
        if limit is None:
            self._passes = 0
            return False
        self._passes += 1
        return self._passes > int(limit)


def install() -> None:
    """Wrap the points of this process."""
    _before_commit()
    _before_ack()
    _before_ring()


def _before_commit() -> None:
    """All is written, nothing is committed: there may be no trace of it, and no hole; and no lock for ever."""
    store = sending._store
    death, stop = _Fuse(switches.DIE_BEFORE_COMMIT), _Fuse(switches.STOP_BEFORE_COMMIT)

    def store_and_die(*arguments: Any) -> None:
        store(*arguments)
        if death.burns_out():
            _get(signal.SIGKILL)
        if stop.burns_out():
            _get(signal.SIGSTOP)

    sending._store = store_and_die  # type: ignore[assignment]


def _before_ack() -> None:
    """Committed, and nobody knows: the repeat must be told that it is one."""
    send, fuse = services.send_messages, _Fuse(switches.DIE_BEFORE_ACK)

    def send_and_die(
        drafts: Sequence[services.Draft], *, wait: bool = True
    ) -> list[services.Sent | ChatError]:
        outcomes = send(drafts, wait=wait)
        if drafts and fuse.burns_out():
            _get(signal.SIGKILL)
        return outcomes

    services.send_messages = send_and_die


def _before_ring() -> None:
    """Acknowledged, and no other process was told: they must find it by themselves."""
    layer: Any = get_channel_layer()
    group_send, fuse = layer.group_send, _Fuse(switches.DIE_BEFORE_RING)

    async def die_in_place_of_ringing(group: str, message: dict[str, Any]) -> None:
        if message["type"] == "events" and fuse.burns_out():
            await asyncio.sleep(_SECONDS_TO_ACK)
            _get(signal.SIGKILL)
        await group_send(group, message)

    layer.group_send = die_in_place_of_ringing


def _get(signal_: signal.Signals) -> None:
    # To this thread: told to the process, it would reach another one first, and this one would go on a little.
    signal.pthread_kill(threading.get_ident(), signal_)
