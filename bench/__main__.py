"""`python -m bench`: measures everything and writes the table and the pictures."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench.scale import QUICK, Scale
from bench.stage import ROOT, Stage
from tests.with_servers import ServerError

CASES = ("fanout", "saved", "arrivals", "resume", "rest", "search", "processes")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="everything small: does it run, not how fast")
    parser.add_argument("--cases", default=",".join(CASES), help=f"only these ({','.join(CASES)})")
    parser.add_argument(
        "--report", type=Path, help="where the document goes (docs/benchmarks, if all is run)"
    )
    given = parser.parse_args()
    cases = given.cases.split(",")
    if unknown := set(cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    folder = given.report
    if folder is None and not given.quick and set(cases) == set(CASES):
        folder = ROOT / "docs" / "benchmarks"
    try:
        with Stage() as stage:
            missed = uvloop.run(_measure(stage, QUICK if given.quick else Scale(), cases, folder))
    except ServerError as error:
        sys.exit(str(error))
    # A goal is not a test: on another machine it may be out of reach.
    print(f"\n{missed} goals missed." if missed else "\nAll goals met.")


async def _measure(stage: Stage, scale: Scale, cases: Sequence[str], folder: Path | None) -> int:
    import django
    from django.core.management import call_command

    django.setup()
    await asyncio.to_thread(call_command, "migrate", verbosity=0)
    from bench import report

    began = time.monotonic()
    outcomes = []
    for place, name in enumerate(cases, start=1):
        print(f"\n[{place}/{len(cases)}] {name}, {time.monotonic() - began:.0f} s so far", flush=True)
        outcome = await importlib.import_module(f"bench.cases.{name}").run(stage, scale)
        outcomes.append(outcome)
        for row in outcome.rows:
            print(report.show(row), flush=True)
    if folder is not None:
        report.write(outcomes, folder, time.monotonic() - began)
        print(f"\nWritten to {folder}")
    return sum(row.met is False for outcome in outcomes for row in outcome.rows)


if __name__ == "__main__":
    main()
