"""A start in production: without secrets there is none, and Django's own checks have nothing to say."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.live import ROOT

SECRETS = {
    "SECRET_KEY": "7h1s-is-0n3-0f-7w0-s3cr3ts-Qx9!" * 2,
    "JWT_SIGNING_KEY": "4nd-7h1s-1s-7h3-0th3r-Zp4?Wm" * 2,
}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of ours with nothing in its environment but this."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": "", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_djangos_checks_for_a_deployment_find_nothing() -> None:
    command = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    done = run(*command, **SECRETS, BEHIND_TLS="true", ALLOWED_HOSTS="chat.example.com")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [("-m", "chatproject.serve"), ("manage.py", "check")])
@pytest.mark.parametrize("missing", SECRETS)
@pytest.mark.parametrize("value", ["", "too-short"])
def test_without_a_secret_nothing_starts_and_the_cure_is_named(
    command: tuple[str, ...], missing: str, value: str
) -> None:
    done = run(*command, **{**SECRETS, missing: value})
    assert done.returncode == 1
    assert f"can't start: {missing} is" in done.stderr
    assert "at least 32 random characters" in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_is_off_unless_it_is_asked_for() -> None:
    script = (
        "from chatproject import settings; print(settings.DEBUG, settings.ECHO_BOT, settings.WS_QUERY_TOKEN)"
    )
    done = run("-c", script, **SECRETS)
    assert done.stdout.split() == ["False"] * 3, done.stderr
