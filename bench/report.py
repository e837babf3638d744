"""The table of a run and its pictures, in the terminal and in `docs/benchmarks/`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from statistics import median

WIDTH, ROW, LABEL = 760, 26, 230
_COLOURS = {"ours": "#2f6fb5", "goal": "#b5482f"}


@dataclass(frozen=True)
class Row:
    """A line of the table. `met`: None where there was nothing to compare with."""

    case: str
    goal: str
    ours: str
    baseline: str
    ratio: str
    met: bool | None


@dataclass(frozen=True)
class Bars:
    """A picture: one bar for each name; the one named `ours` stands out."""

    name: str
    title: str
    unit: str
    values: dict[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a case found."""

    rows: list[Row]
    pictures: list[Bars] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def mid(values: Sequence[float]) -> float:
    return median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def ratio_of(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios, turn by turn: what slows a turn down slows both."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def show(row: Row) -> str:
    mark = {True: "met   ", False: "MISSED", None: "-     "}[row.met]
    return f"{mark} {row.case:<44} {row.ours:>20}  {row.baseline:<34} {row.ratio:>8}   goal {row.goal}"


def write(outcomes: Sequence[Outcome], folder: Path, seconds: float) -> None:
    """The table and the pictures, as documents."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    pictures = [picture for outcome in outcomes for picture in outcome.pictures]
    for picture in pictures:
        (folder / f"{picture.name}.svg").write_text("\n".join(_drawn(picture)) + "\n")
    (folder / "README.md").write_text("\n".join(_document(outcomes, pictures, seconds)) + "\n")


def _document(outcomes: Sequence[Outcome], pictures: Sequence[Bars], seconds: float) -> Iterator[str]:
    yield "# Measured\n"
    yield (
        f"By `make bench` on {datetime.now(UTC):%Y-%m-%d}, in {seconds / 60:.0f} minutes: {_machine()}. One server process "
        "of ours where nothing else is said, MariaDB, Redis and the clients on the same cores. Absolute figures "
        "wander with the machine; ratios are of turns that took turns in the same run.\n"
    )
    yield "| case | goal | ours | beside it | ratio | |"
    yield "|---|---|---|---|---|---|"
    for outcome in outcomes:
        for row in outcome.rows:
            mark = {True: "met", False: "**missed**", None: "not compared"}[row.met]
            yield f"| {row.case} | {row.goal} | {row.ours} | {row.baseline} | {row.ratio} | {mark} |"
    yield ""
    for note in [note for outcome in outcomes for note in outcome.notes]:
        yield f"- {note}"
    for picture in pictures:
        yield f"\n![{picture.title}]({picture.name}.svg)"
    yield "\nWhat is measured how, and what each step of tuning gave: [performance](../performance.md)."


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Python {platform.python_version()}"


def _drawn(picture: Bars) -> Iterator[str]:
    height = 40 + ROW * len(picture.values)
    most = max(picture.values.values())
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">'
    yield f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    yield f'<text x="8" y="20" font-weight="bold">{escape(picture.title)}, {escape(picture.unit)}</text>'
    for place, (name, value) in enumerate(picture.values.items()):
        top = 34 + place * ROW
        width = max(1, value / most * (WIDTH - LABEL - 90))
        yield f'<text x="8" y="{top + 14}">{escape(name)}</text>'
        yield f'<rect x="{LABEL}" y="{top}" width="{width:.1f}" height="18" fill="{_COLOURS.get(name, "#9aa5b1")}"/>'
        yield f'<text x="{LABEL + width + 6:.1f}" y="{top + 14}">{value:,.4g}</text>'
    yield "</svg>"
