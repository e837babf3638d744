"""The verdict in words and figures, and a picture of the run: throughput, latency and the faults."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from html import escape
from statistics import quantiles

from chaos.checker import Rooms
from chaos.history import History

WIDTH, HEIGHT, LEFT, BOTTOM = 1200, 420, 60, 40


def write(
    arguments: argparse.Namespace,
    history: History,
    rooms: Rooms,
    breaches: dict[str, list[str]],
    caught_up: float | None,
    before: dict[str, int],
    after: dict[str, int],
) -> None:
    """Print the verdict; write it and the picture into the report's folder."""
    acked = [send for send in history.sends.values() if send.acked is not None]
    latencies = sorted(seconds for _, seconds in history.deliveries)
    lines = [
        f"profile {arguments.profile}, seed {arguments.seed}, {len(history.faults)} faults",
        (
            f"messages   {sum(map(len, rooms.values()))} saved, {len(acked)} acknowledged, "
            f"{sum(send.attempts > 1 for send in acked)} of them after a repeat"
        ),
        f"deliveries {len(latencies)}, {_percentiles(latencies)}",
        f"errors     {dict(sorted(history.errors.items())) or 'none'}",
        f"caught up  {'never' if caught_up is None else f'{caught_up:.1f} s'} after the last fault healed",
        f"memory     {before['memory_kib']} KiB before, {after['memory_kib']} KiB after",
        f"descriptors {before['descriptors']} before, {after['descriptors']} after",
    ]
    for name, sentences in breaches.items():
        lines.append(f"BROKEN {name}: {len(sentences)} times")
        lines += [f"    {sentence}" for sentence in sentences[:5]]
    lines.append("FAILED" if breaches else "OK: nothing lost, doubled, reordered or missing")
    text = "\n".join(lines)
    print(text)
    arguments.report.mkdir(parents=True, exist_ok=True)
    name = f"{arguments.profile}-{arguments.seed}"
    (arguments.report / f"{name}.txt").write_text(text + "\n")
    (arguments.report / f"{name}.svg").write_text("\n".join(_picture(history)))


def _percentiles(values: list[float]) -> str:
    if len(values) < 2:
        return "no latency"
    cuts = quantiles(values, n=100)
    return f"p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, slowest {values[-1]:.1f} s"


def _picture(history: History) -> Iterator[str]:
    """Deliveries per second as bars, each second's slowest delivery as dots, faults as bands."""
    per_second: dict[int, list[float]] = {}
    for when, seconds in history.deliveries:
        per_second.setdefault(int(when - history.started), []).append(seconds)
    span = max([*per_second, 1]) + 1
    most = max(map(len, per_second.values()), default=1)

    def x(second: float) -> float:
        return LEFT + second * (WIDTH - LEFT) / span

    def y(share: float) -> float:
        return HEIGHT - BOTTOM - share * (HEIGHT - 2 * BOTTOM)

    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    for place, (began, healed, name) in enumerate(history.faults):
        start, end = x(began - history.started), x(healed - history.started)
        yield f'<rect x="{start:.1f}" y="{BOTTOM}" width="{max(2, end - start):.1f}" height="{HEIGHT - 2 * BOTTOM}" fill="#fbd5d5"/>'
        yield f'<text x="{start:.1f}" y="{12 + place % 3 * 11}" font-size="10">{escape(name)}</text>'
    for second, latencies in per_second.items():
        top = y(len(latencies) / most)
        width = (WIDTH - LEFT) / span
        yield f'<rect x="{x(second):.1f}" y="{top:.1f}" width="{width:.1f}" height="{HEIGHT - BOTTOM - top:.1f}" fill="#9db7e0"/>'
        # From 1 ms at the bottom to 100 s at the top, by powers of ten.
        share = min(1, max(0, (math.log10(max(latencies)) + 3) / 5))
        yield f'<circle cx="{x(second) + width / 2:.1f}" cy="{y(share):.1f}" r="2.5" fill="#c0392b"/>'
    yield f'<text x="4" y="{y(1):.0f}" font-size="10">{most}/s</text>'
    yield f'<text x="4" y="{y(0.6):.0f}" font-size="10" fill="#c0392b">1 s</text>'
    yield f'<text x="4" y="{y(0.2):.0f}" font-size="10" fill="#c0392b">10 ms</text>'
    yield f'<text x="{LEFT}" y="{HEIGHT - 10}" font-size="11">seconds 0 to {span}: bars deliveries per second, dots the slowest of each second, bands faults</text>'
    yield "</svg>"
