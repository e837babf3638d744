"""A channel layer that loses a fifth of its messages, doubles and delays others, while its switch is on.

Delays differ, so messages overtake each other, too. Nobody may notice: the layer is a doorbell.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from channels.layers import get_channel_layer

from chaos import switches


def install() -> None:
    """Wrap the layer of this process."""
    layer: Any = get_channel_layer()
    group_send = layer.group_send
    late: set[asyncio.Task[None]] = set()

    async def deliver_late(group: str, message: dict[str, Any]) -> None:
        await asyncio.sleep(random.uniform(0, 1))
        await group_send(group, message)

    async def lossy(group: str, message: dict[str, Any]) -> None:
        fate = random.random() if switches.is_on(switches.LOSSY_LAYER) else 1
        if fate < 0.2:
            return
        if fate < 0.4:
            task = asyncio.create_task(deliver_late(group, message))
            late.add(task)
            task.add_done_callback(late.discard)
            if fate < 0.3:
                return
        await group_send(group, message)

    layer.group_send = lossy
