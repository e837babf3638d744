"""What the nemesis does. A fault begins, lasts, and heals; the system must hold through all three."""

from __future__ import annotations

from chaos.faults import links, people, processes, stores
from chaos.faults.fault import Fault, Scene

EMBEDDED = [*processes.FAULTS, *links.FAULTS, *people.FAULTS, *stores.SQLITE]
CLUSTER = [*processes.FAULTS, *links.FAULTS, *people.FAULTS, *stores.REDIS, *stores.MARIADB]

MISSING = [] if processes.FAKETIME else [f"{processes.CLOCK!r}: libfaketime is not installed"]
"""What this machine can't do, and why."""

__all__ = ["CLUSTER", "EMBEDDED", "MISSING", "Fault", "Scene"]
