"""Many questions answered at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from core.errors import ChatError, NotFound, Unavailable
from realtime.loader import MOST, Loader


class Library:
    """Doubles numbers, finds no odd ones, and answers when the gate is open."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.gate = asyncio.Event()

    async def load(self, numbers: list[int]) -> Sequence[int | ChatError]:
        self.asked.append(numbers)
        await self.gate.wait()
        if -1 in numbers:
            raise Unavailable
        return [NotFound() if number % 2 else 2 * number for number in numbers]


@pytest.fixture
def library() -> Library:
    return Library()


async def asked(loader: Loader[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(loader.get(number)) for number in numbers]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_who_comes_while_an_answer_is_awaited_shares_the_next_one(library: Library) -> None:
    loader = Loader(library.load)
    first = await asked(loader, 2)
    rest = await asked(loader, 4, 6, 4)
    library.gate.set()
    assert await asyncio.gather(*first, *rest) == [4, 8, 12, 8]
    assert library.asked == [[2], [4, 6, 4]]


async def test_an_error_is_for_whom_it_concerns(library: Library) -> None:
    loader = Loader(library.load)
    library.gate.set()
    even, odd = await asyncio.gather(loader.get(2), loader.get(3), return_exceptions=True)
    assert even == 4
    assert isinstance(odd, NotFound)


async def test_what_loading_raises_is_for_all_who_asked_together_and_for_nobody_after(
    library: Library,
) -> None:
    loader = Loader(library.load)
    first = await asked(loader, 2)
    together = await asked(loader, -1, 4)
    library.gate.set()
    outcomes = await asyncio.gather(*first, *together, return_exceptions=True)
    assert outcomes[0] == 4
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes[1:])
    assert await loader.get(6) == 12


async def test_a_crowd_is_answered_in_parts(library: Library) -> None:
    loader = Loader(library.load)
    library.gate.set()
    numbers = range(0, 2 * (2 * MOST + 10), 2)
    assert await asyncio.gather(*map(loader.get, numbers)) == [2 * number for number in numbers]
    assert [len(part) for part in library.asked] == [MOST, MOST, 10]


async def test_who_has_gone_away_meanwhile_holds_up_nobody(library: Library) -> None:
    loader = Loader(library.load)
    gone, stays = await asked(loader, 2, 4)
    gone.cancel()
    library.gate.set()
    assert await stays == 8
    assert gone.cancelled()
