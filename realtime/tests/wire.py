"""A client of bytes, for what no WebSocket library would do; and what a server process holds meanwhile."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from realtime.tests.stage import Insider
from tests.live import LiveServer

CONTINUATION, TEXT, CLOSE, PING = 0x0, 0x1, 0x8, 0x9
SECONDS = 30


def request_head(server: LiveServer, person: Insider | None = None) -> bytes:
    """A handshake, with the person's token if there is one."""
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    if person:
        lines.append(f"Authorization: Bearer {person.token}")
    return "\r\n".join([*lines, "", ""]).encode()


def frame(payload: bytes, *, opcode: int = TEXT, fin: bool = True) -> bytes:
    """A client's frame, masked with zeros (RFC 6455 §5.2)."""
    size = len(payload)
    length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
    return bytes([(0x80 if fin else 0) | opcode]) + length + bytes(4) + payload


def frames(received: bytes) -> Iterator[tuple[int, bytes]]:
    """The server's frames: opcode and payload. What has not come whole is left out."""
    rest = memoryview(received)
    while len(rest) >= 2:
        size, start = rest[1], 2
        if size == 126:
            size, start = int.from_bytes(rest[2:4]), 4
        elif size == 127:
            size, start = int.from_bytes(rest[2:10]), 10
        if len(rest) < start + size:
            return
        yield rest[0] & 0x0F, bytes(rest[start : start + size])
        rest = rest[start + size :]


class Wire:
    """A TCP connection to a server that does nothing by itself: reads nothing, answers no ping."""

    def __init__(self, server: LiveServer, *, window: int | None = None) -> None:
        self.server = server
        self.received = b""
        self.socket = socket.socket()
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(SECONDS)
        self.socket.connect(("127.0.0.1", server.port))

    def shake_hands(self, person: Insider | None = None) -> Self:
        """Upgrade; with a person, the server's `ready` waits to be read."""
        self.send(request_head(self.server, person))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self.socket.recv(1)
        assert answer.startswith(b"HTTP/1.1 101"), answer
        return self

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, most: int) -> bytes:
        """What there is, up to so many bytes; none at the end."""
        try:
            part = self.socket.recv(most)
        except ConnectionError:
            part = b""
        self.received += part
        return part

    def close_code(self) -> int | None:
        """Read until the server ends the connection, and fail if it does not; the code that it gave."""
        while self.read(65536):
            pass
        codes = [int.from_bytes(payload[:2]) for opcode, payload in frames(self.received) if opcode == CLOSE]
        return codes[-1] if codes else None

    def reset(self) -> None:
        """Vanish by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def memory_mib(server: LiveServer) -> float:
    """The server process' resident memory."""
    assert server.process
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def cpu_seconds(server: LiveServer) -> float:
    """What the server process has computed so far."""
    assert server.process
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(server: LiveServer) -> int:
    """All that the server process has open, its database's among them."""
    assert server.process
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def connections(server: LiveServer) -> int:
    """The TCP connections of clients for which the server process holds a descriptor."""
    held = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, _, _, _, _, _, inode, *_ = line.split()
        # 0A listens; without an inode the process has let go, and only the kernel still knows of it.
        held += local.endswith(f":{server.port:04X}") and state != "0A" and inode != "0"
    return held


async def until_connections(server: LiveServer, most: int, seconds: float = SECONDS) -> None:
    """Wait until the server process holds no more clients' connections than that."""
    try:
        async with asyncio.timeout(seconds):
            while connections(server) > most:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{connections(server)} connections, not {most}") from None
