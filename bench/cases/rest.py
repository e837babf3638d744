"""REST beside what Django and DRF give by themselves, and what it costs when there is a hundred times as much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from itertools import count
from uuid import UUID

import msgspec

from bench.people import Account, fill, people, rooms
from bench.report import Bars, Outcome, Row, mid, ratio_of
from bench.scale import Scale
from bench.stage import Process, Stage

CONNECTIONS = 8
MESSAGES_EACH = 100


class Browser(asyncio.Protocol):
    """One kept HTTP connection: asks again as soon as it has the whole answer."""

    def __init__(self, ask: Callable[[], bytes]) -> None:
        self._ask = ask
        self._head = b""
        self._left = 0
        self.answers = 0
        self.wrong = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        transport.write(self._ask())

    def data_received(self, data: bytes) -> None:
        if self._left:
            self._left -= len(data)
        else:
            self._head += data
            head, found, body = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
                self.wrong = self._head
                self._transport.close()
                return
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            self._left = int(length.partition(b":")[2]) - len(body)
            self._head = b""
        if self._left == 0:
            self.answers += 1
            self._transport.write(self._ask())

    def close(self) -> None:
        self._transport.close()


class Question:
    """A request, asked over and over."""

    def __init__(
        self, account: Account, method: str, path: Callable[[], str], body: Callable[[], bytes]
    ) -> None:
        self._account, self._method, self._path, self._body = account, method, path, body

    def __call__(self) -> bytes:
        body = self._body()
        return (
            f"{self._method} /api/v1{self._path()} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
            f"Authorization: Bearer {self._account.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body


async def rate(process: Process, ask: Callable[[], bytes], seconds: float) -> float:
    """Answers a second over a few connections."""
    loop = asyncio.get_running_loop()
    browsers = [Browser(ask) for _ in range(CONNECTIONS)]
    for browser in browsers:
        await loop.create_connection(lambda one=browser: one, "127.0.0.1", process.port)  # type: ignore[misc]
    await asyncio.sleep(seconds / 4)
    before, began = sum(browser.answers for browser in browsers), time.perf_counter()
    answers = 0
    # A busy machine may take longer for the first one.
    while not answers and not any(browser.wrong for browser in browsers):
        await asyncio.sleep(seconds)
        answers = sum(browser.answers for browser in browsers) - before
    took = time.perf_counter() - began
    for browser in browsers:
        browser.close()
        if browser.wrong:
            raise SystemExit(f"{process.name} answered: {browser.wrong.decode(errors='replace')[:500]}")
    return answers / took


async def run(stage: Stage, scale: Scale) -> Outcome:
    account, *others = people(10)
    few = _filled(account, others, scale.small)
    rows: list[Row] = []
    bars: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        ours, drf = stack.enter_context(stage.ours()), stack.enter_context(stage.rest())
        small: dict[str, list[float]] = {}
        for name, ask, least in _questions(account, few):
            mine, theirs = [], []
            for _ in range(scale.turns):
                mine.append(await rate(ours, ask, scale.seconds / 4))
                theirs.append(await rate(drf, ask, scale.seconds / 4))
            small[name] = mine
            ratio = ratio_of(mine, theirs)
            bars |= {f"{name}: ours": mid(mine), f"{name}: Django and DRF": mid(theirs)}
            rows.append(
                Row(
                    name,
                    f"≥ {least} × Django and DRF",
                    f"{mid(mine):,.0f}/s",
                    f"Django and DRF {mid(theirs):,.0f}/s",
                    f"{ratio:.1f}",
                    ratio >= least,
                )
            )
        rows += await _grown(ours, account, few, stage, scale)
    return Outcome(rows, [Bars("rest", "REST, 8 connections", "requests/s", bars)])


async def _grown(ours: Process, account: Account, few: list[UUID], stage: Stage, scale: Scale) -> list[Row]:
    """The same questions by turns: to `ours`, and to a server on a database that is a hundred times as large."""
    rows = []
    with stage.another_database("large"):
        busy, *rest = people(10)
        # As many rooms of the caller's own, the rest of others: their lists have the same length.
        many = _filled(busy, rest, scale.big, mine=scale.small)
        with stage.ours("large") as large:
            for (name, ask, _), (_, ask_large, _) in zip(
                _questions(account, few)[:2], _questions(busy, many[: scale.small])[:2], strict=True
            ):
                with_few, with_many = [], []
                for _ in range(scale.turns):
                    with_few.append(await rate(ours, ask, scale.seconds / 4))
                    with_many.append(await rate(large, ask_large, scale.seconds / 4))
                ratio = ratio_of(with_few, with_many)
                rows.append(
                    Row(
                        f"{name}, with {scale.big * MESSAGES_EACH:,} messages in {scale.big:,} rooms",
                        f"≤ 1.3 × the cost with {scale.small * MESSAGES_EACH:,} in {scale.small:,}",
                        f"{mid(with_many):,.0f}/s",
                        f"{mid(with_few):,.0f}/s with the small one",
                        f"{ratio:.2f}",
                        ratio <= 1.3,
                    )
                )
    return rows


def _filled(account: Account, others: list[Account], size: int, *, mine: int | None = None) -> list[UUID]:
    """So many rooms with messages; the account is in the first `mine` of them, in all by default."""
    mine = size if mine is None else mine
    members = [[account, others[0]] if number < mine else others[:2] for number in range(size)]
    ids = rooms(members)
    fill(ids, others[0], messages=MESSAGES_EACH)
    return ids


def _questions(account: Account, room_ids: list[UUID]) -> list[tuple[str, Question, float]]:
    numbers = count()
    turns = count()

    def room() -> UUID:
        return room_ids[next(turns) % len(room_ids)]

    def message() -> bytes:
        return msgspec.json.encode({"content": "x" * 100, "client_message_id": f"rest-{next(numbers)}"})

    return [
        ("history page of 50", Question(account, "GET", lambda: f"/rooms/{room()}/messages", lambda: b""), 3),
        ("room list of 50", Question(account, "GET", lambda: "/rooms", lambda: b""), 3),
        ("send by REST", Question(account, "POST", lambda: f"/rooms/{room()}/messages", message), 2),
    ]
