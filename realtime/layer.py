"""The Redis channel layer, but what is sent at the same time takes one round trip.

Channels' own sends one message after the other, each by itself. Where a batch of messages goes to many
rooms, that took more of a server's time than saving it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer

_SECONDS = 3


class PipeliningLayer(RedisPubSubChannelLayer):
    """Of messages to groups; everything else is as in the library, whose connections it uses."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._batches: dict[Any, _Batch] = {}

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Raises: what the connection raises, TimeoutError."""
        layer = self._get_layer()
        channel = layer._get_group_channel_name(group)
        shard = layer._get_shard(channel)
        if shard not in self._batches:
            self._batches[shard] = _Batch(asyncio.get_running_loop().create_task(self._publish(shard)))
        batch = self._batches[shard]
        batch.messages.append((channel, self.serialize(message)))
        # Who gives up takes nobody else's message with it.
        await asyncio.shield(batch.sending)

    async def _publish(self, shard: Any) -> None:
        async with asyncio.timeout(_SECONDS):
            try:
                await shard._lock.acquire()
            finally:
                # What comes from here on goes with the next.
                messages = self._batches.pop(shard).messages
            try:
                shard._ensure_redis()
                async with shard._redis.pipeline(transaction=False) as pipeline:
                    for channel, message in messages:
                        pipeline.publish(channel, message)
                    await pipeline.execute()
            finally:
                shard._lock.release()


class _Batch:
    def __init__(self, sending: asyncio.Task[None]) -> None:
        self.sending = sending
        self.messages: list[tuple[str, bytes]] = []
