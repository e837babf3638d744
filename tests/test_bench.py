"""Every measurement runs, small, and is written down. How fast it was is no matter here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from tests.live import ROOT

SECONDS = 240

CASES = [
    "fan-out to 50 sockets",
    "the same, bursts of 20 messages",
    "saved messages",
    "steady 50 messages/s",
    "one hot room",
    "other rooms beside it",
    "connect storm",
    "idle connection",
    "resume of 2,000 events",
    "history page of 50",
    "room list of 50",
    "send by REST",
    "search in 10,000 messages: rare words",
    "search in 10,000 messages: phrases",
    "2 processes",
]

if settings.REDIS_URLS:  # it brings its own MariaDB and Redis: once, where they are installed

    def test_the_quick_form_measures_every_case(tmp_path: Path) -> None:
        command = [sys.executable, "-m", "bench", "--quick", "--report", str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        document = (tmp_path / "README.md").read_text()
        for case in CASES:
            assert re.search(rf"^\| {re.escape(case)}", document, re.MULTILINE), case
            assert case in done.stdout
        assert {path.name for path in tmp_path.glob("*.svg")} == {"fanout.svg", "saved.svg", "rest.svg"}
        for picture in tmp_path.glob("*.svg"):
            assert f"({picture.name})" in document
            assert picture.read_text().startswith("<svg")
