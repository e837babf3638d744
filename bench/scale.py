"""How much of everything: the whole measurement, or a smoke test of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of a run.

    Args:
        turns: how often each server has its turn.
        rounds: messages of a turn of fan-out.
        seconds: of each measurement that lasts.
        rooms: of two people, in `saved`.
        crowd: sockets that come at once, in `rooms_each` rooms each.
        idle: sockets that only stay.
        missed: events of the long resume.
        small, big: rooms in the small and in the big database, of a hundred messages each.
        searched: messages in which is searched.
        questions: of each kind of search, to each of those who ask.
        node: whether the node servers are measured, too.
    """

    listeners: int = 1000
    turns: int = 5
    rounds: int = 60
    seconds: float = 8
    rooms: int = 50
    crowd: int = 2000
    rooms_each: int = 20
    idle: int = 5000
    missed: int = 100_000
    small: int = 100
    big: int = 10_000
    searched: int = 1_000_000
    questions: int = 25
    node: bool = True


QUICK = Scale(
    listeners=50,
    turns=1,
    rounds=10,
    seconds=1,
    rooms=10,
    crowd=100,
    rooms_each=5,
    idle=200,
    missed=2000,
    small=10,
    big=50,
    searched=10_000,
    questions=5,
    node=False,
)
