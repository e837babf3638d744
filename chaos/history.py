"""What happened, as the clients saw it: the material of the checker."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any


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


@dataclass
class History:
    """Sends, what each client received, and what was odd on the way."""

    sends: dict[str, Send] = field(default_factory=dict)
    received: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    deliveries: list[tuple[float, float]] = field(
        default_factory=list
    )  # (when, seconds since the send began)
    errors: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[float, float, str]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def count_error(self, code: str) -> None:
        self.errors[code] = self.errors.get(code, 0) + 1
