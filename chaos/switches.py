"""Switches of the servers under test: a link in the directory CHAOS_SWITCHES turns one on.

Faults set them in the harness, `chaos.server` asks for them. The product knows none of this.
"""

from __future__ import annotations

import os
from pathlib import Path

DIRECTORY = "CHAOS_SWITCHES"

LOSSY_LAYER = "lossy_layer"
DIE_BEFORE_COMMIT = "die_before_commit"
DIE_BEFORE_ACK = "die_before_ack"
DIE_BEFORE_RING = "die_before_ring"
STOP_BEFORE_COMMIT = "stop_before_commit"


WEB = "CHAOS_WEB"
"""The number of the server process that asks."""


def of_one(name: str, web: int) -> str:
    """A switch of one server process only."""
    return f"{name}.{web}"


def is_on(name: str) -> bool:
    return value(name) is not None


def value(name: str) -> str | None:
    """What the switch is set to; None if it is off."""
    try:
        # Its target, not its content: reading a link takes no descriptor, and there may be none.
        return str(_file(name).readlink())
    except FileNotFoundError:
        return None


def turn_on(directory: Path, name: str, to: str = "on") -> None:
    (directory / name).symlink_to(to)


def turn_off(directory: Path, name: str) -> None:
    (directory / name).unlink(missing_ok=True)


def _file(name: str) -> Path:
    return Path(os.environ[DIRECTORY]) / name
