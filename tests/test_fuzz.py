"""`make fuzz`, small: that it asks, and that it fails when it should."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.live import ROOT


def fuzz(*options: str) -> subprocess.CompletedProcess[str]:
    """A few requests to a server on a database of its own, in memory otherwise."""
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        "--examples",
        "2",
        "--",
        "--include-path",
        "/api/v1/blocks",
        *options,
    ]
    environment = {**os.environ, "DATABASE_URL": "", "REDIS_URL": "", "DEBUG": "true", "ENV_FILE": ""}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_an_api_that_does_what_its_document_says_passes() -> None:
    done = fuzz("--phases", "fuzzing")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout


def test_what_a_check_finds_is_an_error() -> None:
    done = fuzz("--phases", "fuzzing", "--max-response-time", "0.000001")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "GET /api/v1/blocks" in done.stdout
