"""A short run under fire, and the proof that the checker can fail."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.live import ROOT

SECONDS = 180

FAULTS = ["kill -9 web", "die before ack", "links reset", "lossy layer", "members removed"]
OF_SERVERS = ["redis flushed", "kill -9 mariadb"]

# Three of seven: `python -m chaos --break NAME` runs the others. Each with what catches it, and its faults.
BREAKAGES = {
    "no_gap_fill": ("every_step_is_one", "lossy layer"),
    "no_unique": ("nothing_is_doubled", "links reset"),
    "no_revoke": ("nothing_after_a_removal", "members removed"),
}


def run(report: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chaos", "--report", str(report), "--short", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_everything_holds_while_things_break(tmp_path: Path) -> None:
    profile = "cluster" if settings.REDIS_URLS else "embedded"
    faults = FAULTS + (OF_SERVERS if settings.REDIS_URLS else [])
    done = run(
        tmp_path, "--profile", profile, "--faults", ",".join(faults), "--clients", "12", "--rooms", "4"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OK: nothing lost, doubled, reordered or missing" in done.stdout
    assert (tmp_path / f"{profile}-1.svg").read_text().startswith("<svg")


if not settings.REDIS_URLS:  # once is enough: the breakages are of one process on SQLite

    @pytest.mark.parametrize("name", BREAKAGES)
    def test_each_breakage_is_caught_by_its_invariant(tmp_path: Path, name: str) -> None:
        caught_by, fault = BREAKAGES[name]
        few = ("--clients", "8", "--rooms", "3", "--pause", "0.05", "--drain", "8")
        done = run(tmp_path, "--profile", "embedded", "--faults", fault, *few, "--break", name)
        assert done.returncode == 1, done.stdout + done.stderr
        assert caught_by in re.findall(r"^BROKEN (\w+)", done.stdout, re.MULTILINE), done.stdout
