"""A short run under fire, and the proof that the checker can fail."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from chaos.broken import BREAKAGES
from tests.live import ROOT

SECONDS = 180


def run(report: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chaos", "--report", str(report), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


def broken(output: str) -> set[str]:
    return set(re.findall(r"^BROKEN (\w+)", output, re.MULTILINE))


def test_everything_holds_while_things_break(tmp_path: Path) -> None:
    profile = "cluster" if settings.REDIS_URLS else "embedded"
    done = run(tmp_path, "--profile", profile, "--seconds", "20", "--clients", "12", "--rooms", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OK: nothing lost, doubled, reordered or missing" in done.stdout
    assert (tmp_path / f"{profile}-1.svg").read_text().startswith("<svg")


if not settings.REDIS_URLS:  # once is enough: the breakages are of one process on SQLite
    # Three prove that the checker can fail; `python -m chaos --break NAME` runs the others.
    @pytest.mark.parametrize("name", ["no_gap_fill", "no_head_poll", "ack_before_commit"])
    def test_each_breakage_is_caught_by_its_invariant(tmp_path: Path, name: str) -> None:
        caught_by = BREAKAGES[name][1]
        options = ("--profile", "embedded", "--calm", "--seconds", "6", "--clients", "8", "--rooms", "3")
        done = run(tmp_path, *options, "--pause", "0.05", "--drain", "12", "--break", name)
        if caught_by is None:
            assert done.returncode == 0, done.stdout + done.stderr
        else:
            assert done.returncode == 1, done.stdout + done.stderr
            assert caught_by in broken(done.stdout), done.stdout
