"""The verdict in words and figures, and a picture of the run: throughput, latency and the faults."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from pathlib import Path
from statistics import quantiles

from chaos.checker import back_after_kills
from chaos.history import History
from chaos.trial import Plan, Verdict

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 1600, 520, 60, 100, 40
_LABEL_ROWS = 8
_QUIET = 1
"""Seconds after a fault that don't count as calm."""


def write(plan: Plan, history: History, verdict: Verdict, folder: Path) -> None:
    """Print the verdict; write it and the picture into `folder`."""
    text = "\n".join([*_figures(plan, history, verdict), *_faults(history), *_judgement(verdict)])
    print(text)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{plan.profile}-{plan.seed}"
    (folder / f"{name}.txt").write_text(text + "\n")
    (folder / f"{name}.log").write_text(verdict.logs)
    (folder / f"{name}.svg").write_text("\n".join(_picture(history)))


def _figures(plan: Plan, history: History, verdict: Verdict) -> Iterator[str]:
    acked = [send for send in history.sends.values() if send.acked is not None]
    back = [seconds for _, seconds, _ in back_after_kills(history) if seconds is not None]
    yield f"profile {plan.profile}, seed {plan.seed}, {len(history.troubles)} faults in {history.now:.0f} s"
    yield (
        f"messages     {sum(map(len, verdict.rooms.values()))} saved, {len(acked)} acknowledged, "
        f"{sum(send.attempts > 1 for send in acked)} of them after a repeat"
    )
    yield f"deliveries   {len(history.deliveries)}, {_percentiles([s for _, s in history.deliveries])}"
    yield f"sessions     {len(history.sessions)} sockets of {plan.clients} clients"
    yield f"counted      {', '.join(f'{count} {what}' for what, count in sorted(history.counts.items())) or 'nothing'}"
    yield f"requests     {len(history.operations)}, slowest {max([o.ended - o.began for o in history.operations], default=0):.1f} s"
    if back:
        yield f"kill -9      {len(back)} sockets lost their process, the last was ready again after {max(back):.1f} s"
    yield f"complete     {_seconds(verdict.caught_up)} after the last fault"
    for what, held in verdict.after.items():
        yield f"{what:<12} {verdict.before[what]} before, {held} after"
    yield from history.notes


def _faults(history: History) -> Iterator[str]:
    """One line for each: how long, caught up, and how deliveries fared meanwhile."""
    yield f"{'fault':<24} {'at':>6} {'lasted':>7} {'caught up':>10}  deliveries meanwhile"
    calm = [
        s
        for when, s in history.deliveries
        if not any(t.began <= when <= t.healed + _QUIET for t in history.troubles)
    ]
    yield f"{'(none)':<24} {'':>6} {'':>7} {'':>10}  {len(calm)}, {_percentiles(calm)}"
    for trouble in history.troubles:
        during = [s for when, s in history.deliveries if trouble.began <= when <= trouble.healed]
        yield (
            f"{trouble.name:<24} {trouble.began - history.started:>6.1f} {trouble.healed - trouble.began:>6.1f}s "
            f"{_seconds(trouble.caught_up):>10}  {len(during)}, {_percentiles(during)}"
        )


def _judgement(verdict: Verdict) -> Iterator[str]:
    for name, sentences in verdict.breaches.items():
        yield f"BROKEN {name}: {len(sentences)} times"
        yield from (f"    {sentence}" for sentence in sentences[:5])
    yield "FAILED" if verdict.breaches else "OK: nothing lost, doubled, reordered or missing"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"


def _percentiles(values: list[float]) -> str:
    if len(values) < 2:
        return "no latency"
    cuts = quantiles(values, n=100)
    return f"p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, slowest {max(values):.1f} s"


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
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    for place, trouble in enumerate(history.troubles):
        start, end = x(trouble.began - history.started), x(trouble.healed - history.started)
        yield f'<rect x="{start:.1f}" y="{TOP}" width="{max(2, end - start):.1f}" height="{HEIGHT - TOP - BOTTOM}" fill="#fbd5d5"/>'
        yield f'<text x="{start:.1f}" y="{12 + place % _LABEL_ROWS * 11}" font-size="10">{escape(trouble.name)}</text>'
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
