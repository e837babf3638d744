"""Those who come from other machines: `python -m chaos.strangers ROLE …`, a process of its own at low priority.

In the harness's own loop they would slow down the very clients whose latency is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import websockets

TOO_POLITE = 19
"""The priority: they have a machine of their own in life, and share two cores here."""

SECONDS_TO_DIE = 0.1

_FAILURES = (OSError, TimeoutError, websockets.WebSocketException)


async def _read_nothing(socket: websockets.ClientConnection) -> None:
    """Big questions whose answers nobody fetches."""
    question = json.dumps({"type": "ping", "data": {"x": "x" * 60_000}})
    while True:
        await socket.send(question)


async def _flood(socket: websockets.ClientConnection) -> None:
    """As many frames as the network takes."""
    while True:
        await socket.send('{"type": "ping", "data": {}}')


async def hostile(
    behave: Callable[[websockets.ClientConnection], Awaitable[None]], url: str, token: str, seconds: float
) -> None:
    """Again and again: an enemy that is thrown out comes back. Prints how often it was."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    thrown_out = 0
    queue = 1 if behave is _read_nothing else None
    while loop.time() < end:
        with suppress(*_FAILURES):
            async with asyncio.timeout_at(end), _socket(url, token, max_queue=queue) as socket:
                await behave(socket)
        thrown_out += loop.time() < end
        await asyncio.sleep(0.2)
    print(thrown_out)


async def crowd(each: int, there: str, later: str, tokens: list[str]) -> None:
    """Sockets at one server process, `each` for every token; when they are lost, all go to another at once.

    Prints a line of JSON when all are there, and one when all are back: how many, and who was refused why.
    """
    arrived = asyncio.Semaphore(0)
    back = asyncio.Semaphore(0)
    refusals: Counter[str] = Counter()

    async def one(token: str) -> None:
        for url, ready in ((there, arrived), (later, back)):
            while True:
                try:
                    async with _socket(url, token, max_queue=None) as socket:
                        frame = json.loads(await asyncio.wait_for(socket.recv(), 60))
                        if frame["type"] == "ready":
                            ready.release()
                            await socket.wait_closed()
                            # A process that dies closes its sockets one by one, the listening one among them.
                            await asyncio.sleep(SECONDS_TO_DIE)
                            break
                        refusals[str(frame)] += 1
                except (ConnectionRefusedError, ConnectionResetError):
                    pass  # at the connect: nobody is there any more, or yet
                except _FAILURES as error:
                    refusals[repr(error)] += 1
                await asyncio.sleep(random.uniform(0, 0.5))

    sockets = [asyncio.create_task(one(token)) for token in tokens for _ in range(each)]
    for gathered, word in ((arrived, "there"), (back, "back")):
        for _ in sockets:
            await gathered.acquire()
        print(json.dumps({word: len(sockets), "refusals": refusals}), flush=True)


def _socket(url: str, token: str, *, max_queue: int | None) -> websockets.connect:
    headers = {"Authorization": f"Bearer {token}"}
    return websockets.connect(
        url,
        additional_headers=headers,
        compression=None,
        open_timeout=60,
        close_timeout=0.2,
        max_queue=max_queue,
    )


def main() -> None:
    os.nice(TOO_POLITE)
    match sys.argv[1:]:
        case ["read_nothing", url, token, seconds]:
            asyncio.run(hostile(_read_nothing, url, token, float(seconds)))
        case ["flood", url, token, seconds]:
            asyncio.run(hostile(_flood, url, token, float(seconds)))
        case ["crowd", each, there, later, *tokens]:
            asyncio.run(crowd(int(each), there, later, tokens))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
