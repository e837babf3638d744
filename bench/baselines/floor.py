"""The floor: a bare server on uvloop that writes one ready frame to every socket, whenever somebody sends anything.

It reads no frames, knows no rooms and keeps nothing: what is left is the cost of writing.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
from pathlib import Path

import uvloop

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
SHORTEST_MESSAGE = 100
"""What is shorter is a control frame: a pong, a close."""


class Peer(asyncio.Protocol):
    peers: set[asyncio.Transport] = set()
    frame = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.head = b""

    def data_received(self, data: bytes) -> None:
        if self.transport not in self.peers:
            self.shake_hands(data)
        elif len(data) >= SHORTEST_MESSAGE:
            for peer in self.peers:
                peer.write(self.frame)

    def shake_hands(self, data: bytes) -> None:
        self.head += data
        if not self.head.endswith(b"\r\n\r\n"):
            return
        lines = [line.partition(b":") for line in self.head.split(b"\r\n")]
        key = next(value.strip() for name, _, value in lines if name.lower() == b"sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())  # noqa: S324 - the protocol's
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self.peers.add(self.transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.peers.discard(self.transport)


async def serve(port: int, frame: bytes) -> None:
    Peer.frame = frame
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
