"""`python -m chaos`: real servers, clients that talk, and everything that can break breaking."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from chaos import report, trial
from chaos.faults import CLUSTER, EMBEDDED
from chaos.history import History
from chaos.stage import Stage
from tests.with_servers import ServerError


def main() -> None:
    names = sorted({fault.name for fault in CLUSTER + EMBEDDED})
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__, epilog=f"Faults: {', '.join(names)}.")
    parser.add_argument("--profile", choices=["cluster", "embedded"], default="cluster")
    parser.add_argument("--seed", type=int, default=1, help="the same seed breaks the same things (1)")
    parser.add_argument("--seconds", type=float, help="how long faults begin (until each was there once)")
    parser.add_argument("--faults", help="only these, by name, with commas between them")
    parser.add_argument("--calm", action="store_true", help="no faults at all")
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--rooms", type=int, default=8)
    parser.add_argument(
        "--pause", type=float, default=0.2, help="mean seconds between a client's sends (0.2)"
    )
    parser.add_argument(
        "--drain", type=float, default=30, help="seconds to become complete, at the most (30)"
    )
    parser.add_argument(
        "--short", action="store_true", help="leave out the comparison of memory and descriptors"
    )
    parser.add_argument(
        "--break", dest="breakage", help="a server that is broken on purpose: see chaos.broken"
    )
    parser.add_argument("--report", type=Path, default=Path("chaos-report"), help="where the report goes")
    given = parser.parse_args()
    faults = () if given.calm else tuple(given.faults.split(",")) if given.faults else None
    if faults and (unknown := set(faults) - set(names)):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    plan = trial.Plan(
        profile=given.profile,
        seed=given.seed,
        seconds=given.seconds,
        faults=faults,
        clients=given.clients,
        rooms=given.rooms,
        pause=given.pause,
        drain=given.drain,
        measure=not given.short,
    )
    history = History()
    # So that the servers end with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with Stage(plan.profile, given.breakage) as stage:
            verdict = asyncio.run(trial.run(plan, stage, history))
    except ServerError as error:
        sys.exit(f"{error}\nOr without servers: --profile embedded")
    report.write(plan, history, verdict, given.report)
    sys.exit(1 if verdict.breaches else 0)


if __name__ == "__main__":
    main()
