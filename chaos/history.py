"""What happened, as the clients saw it: the material of the checker."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass
class Send:
    """A message from its first attempt on. Times are of one monotonic clock, that of the harness."""

    client_message_id: str
    room: str
    sender: str
    content: str
    began: float
    acked: float | None = None
    seq: int | None = None
    pos: int | None = None
    attempts: int = 1
    refused: bool = False


@dataclass
class Window:
    """One membership of one client in one room, as that client was told of it: what came after `after`."""

    after: int
    frames: list[dict[str, Any]] = field(default_factory=list)
    is_open: bool = True


@dataclass
class Session:
    """A socket's life: which server process, and when it was ready and gone."""

    client: str
    web: int
    ready: float
    gone: float | None = None


class Operation(NamedTuple):
    """A REST request of a client, whatever came of it."""

    what: str
    began: float
    ended: float


class Kill(NamedTuple):
    """A server process that was killed, since when there is one to come back to, and in how long all must be back."""

    web: int
    killed: float
    others_up: float
    within: float


class Trouble(NamedTuple):
    """One fault: when it began and was over, and how long afterwards the last client had caught up."""

    name: str
    began: float
    healed: float
    caught_up: float | None


@dataclass
class History:
    """Sends, what each client received, and what was odd on the way."""

    sends: dict[str, Send] = field(default_factory=dict)
    windows: dict[tuple[str, str], list[Window]] = field(default_factory=dict)
    breaches: dict[str, list[str]] = field(default_factory=dict)
    deliveries: list[tuple[float, float]] = field(
        default_factory=list
    )  # (when, seconds since the send began)
    operations: list[Operation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    sessions: list[Session] = field(default_factory=list)
    removals: set[tuple[str, str, int]] = field(default_factory=set)  # (user, room, pos)
    kills: list[Kill] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def breach(self, invariant: str, sentence: str) -> None:
        """What a client saw by itself that the promise forbids."""
        self.breaches.setdefault(invariant, []).append(sentence)

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started
