"""The network between the clients and one server process: a TCP relay whose conditions can be changed."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import suppress
from typing import Self

_CHUNK = 65_536


class Link:
    """Relays connections to `port`; what a fault sets here holds for all of them, at once.

    `delay` seconds for each piece of data; `slice_bytes` at most per piece; `carries`: while False
    everything is taken from nobody, as behind a cable that was pulled.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._carrying = asyncio.Event()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.clear()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        self.reset()

    def clear(self) -> None:
        """Everything passes, at once and in one piece."""
        self.delay = 0.0
        self.slice_bytes = _CHUNK
        self._carrying.set()

    def pull(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._carrying.clear()

    def reset(self, dice: random.Random | None = None, share: float = 1) -> int:
        """End a share of the connections with RST, wherever in a frame they are; how many."""
        chosen = [one for one in self._writers if dice is None or dice.random() < share]
        for writer in chosen:
            raw = writer.get_extra_info("socket")
            if raw is not None:
                with suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return len(chosen)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        pumps = [
            asyncio.create_task(self._pump(reader, far_writer)),
            asyncio.create_task(self._pump(far_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for end in (writer, far_writer):
                self._writers.discard(end)
                end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                for start in range(0, len(data), self.slice_bytes):
                    await self._carrying.wait()
                    if self.delay:
                        await asyncio.sleep(self.delay)
                    writer.write(data[start : start + self.slice_bytes])
                    await writer.drain()
