"""Clients light enough not to be the limit: picows on uvloop, frames told apart by their first bytes."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

_AT_ONCE = 200
"""Handshakes under way at once, where it is not the crowd that is measured."""

MESSAGE = b'{"type":"message"'
ACK = b'{"type":"ack"'


class Data(msgspec.Struct):
    client_message_id: str | None = None


class Received(msgspec.Struct):
    """Of a frame what a measurement needs."""

    type: str
    id: str | None = None
    data: Data | None = None


_decode = msgspec.json.Decoder(Received).decode


class Client(WSListener):
    """One socket. `hear` gets the payload of each text frame."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self.hear = hear
        self.transport: WSTransport | None = None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.hear(frame.get_payload_as_bytes())

    def say(self, text: bytes) -> None:
        assert self.transport
        self.transport.send(WSMsgType.TEXT, text)

    def close(self) -> None:
        if self.transport:
            self.transport.disconnect(False)


async def connect(url: str, hear: Callable[[bytes], None], *, token: str | None = None) -> Client:
    """A socket, open but not yet `ready`."""
    client = Client(hear)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client.transport, _ = await ws_connect(
        lambda: client, url, extra_headers=headers, websocket_handshake_timeout=60, enable_auto_pong=True
    )
    return client


class Audience:
    """Sockets that count what they get; `count` waits for so many frames of a kind, all of them together."""

    def __init__(self, begins: bytes) -> None:
        self.clients: list[Client] = []
        self._begins = begins
        self._left = 0
        self._done = asyncio.Event()

    def hear(self, payload: bytes) -> None:
        if payload.startswith(self._begins):
            self._left -= 1
            if self._left == 0:
                self._done.set()

    def expect(self, frames: int) -> None:
        self._left += frames
        self._done.clear()

    async def all(self, seconds: float = 120) -> None:
        async with asyncio.timeout(seconds):
            await self._done.wait()

    async def gather(self, url: str, tokens: Iterable[str | None]) -> None:
        """Connect one for each token."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(token: str | None) -> None:
            async with gate:
                self.clients.append(await connect(url, self.hear, token=token))

        await asyncio.gather(*map(one, tokens))

    def close(self) -> None:
        for client in self.clients:
            client.close()


class Talker:
    """A member of a room who sends, keeps `window` sends unanswered, and times what comes.

    Args:
        frame: the frame of a message, given its id.
        answer: the id of the message that a payload answers, or None; its time is `latencies`'.
    """

    def __init__(
        self, name: str, frame: Callable[[str], bytes], answer: Callable[[bytes], str | None]
    ) -> None:
        self.name = name
        self.client: Client | None = None
        self.latencies: deque[float] = deque()
        self._frame = frame
        self._answer = answer
        self._sent: dict[str, float] = {}
        self._count = 0
        self._window = 0

    async def connect(self, url: str, token: str | None = None) -> None:
        self.client = await connect(url, self.hear, token=token)

    def say(self) -> None:
        """One message."""
        assert self.client
        self._count += 1
        id_ = f"{self.name}.{self._count}"
        self._sent[id_] = time.perf_counter()
        self.client.say(self._frame(id_))

    def talk(self, window: int) -> None:
        """From now on send again whenever an answer comes."""
        self._window = window
        for _ in range(window):
            self.say()

    def stop(self) -> None:
        self._window = 0

    @property
    def unanswered(self) -> int:
        return len(self._sent)

    def hear(self, payload: bytes) -> None:
        id_ = self._answer(payload)
        if id_ is not None and (began := self._sent.pop(id_, None)) is not None:
            self.latencies.append(time.perf_counter() - began)
            if self._window:
                self.say()


def our_frame(room: Any, size: int = 100) -> Callable[[str], bytes]:
    """Makes `message` frames to a room."""
    content = "x" * size

    def frame(id_: str) -> bytes:
        data = {"room_id": str(room), "content": content, "client_message_id": id_}
        return msgspec.json.encode({"type": "message", "data": data})

    return frame


def acked(payload: bytes) -> str | None:
    """The message that our `ack` acknowledges."""
    if not payload.startswith(ACK):
        return None
    data = _decode(payload).data
    return data.client_message_id if data else None


def delivered(payload: bytes) -> str | None:
    """The message that our `message` frame delivers."""
    if not payload.startswith(MESSAGE):
        return None
    data = _decode(payload).data
    return data.client_message_id if data else None
