"""What may stand in the environment; anything else stops the start, with the name of the variable and the cure."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatproject import env
from tests.live import ROOT

NAME = "A_VARIABLE"


@pytest.mark.parametrize(
    "value",
    [
        "smtp+tls://user:pass-word@",
        "smtp+tls://user:pass-word@host:port",
        "imap://user:pass-word@host",
        "user:pass-word@host",
        "smtp",
    ],
)
def test_an_odd_mail_server_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(NAME, value)
    with pytest.raises(ImproperlyConfigured) as raised:
        env.email(NAME, "consolemail://")
    assert NAME in str(raised.value)
    assert "pass-word" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "port", "secured"),
    [
        ("smtp+tls://us%40er:p%2Fw@mail.example.com:587", 587, {"EMAIL_USE_TLS": True}),
        ("smtp+ssl://us%40er:p%2Fw@mail.example.com:465", 465, {"EMAIL_USE_SSL": True}),
        ("smtp://us%40er:p%2Fw@mail.example.com", None, {}),
    ],
)
def test_a_mail_server(
    monkeypatch: pytest.MonkeyPatch, value: str, port: int | None, secured: dict[str, bool]
) -> None:
    monkeypatch.setenv(NAME, value)
    found = env.email(NAME, "consolemail://")
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("us@er", "p/w")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example.com", port)
    assert {name: value for name, value in found.items() if name.startswith("EMAIL_USE_")} == secured


@pytest.mark.parametrize("default", ["consolemail://", "dummymail://"])
def test_no_mail_server(monkeypatch: pytest.MonkeyPatch, default: str) -> None:
    monkeypatch.delenv(NAME, raising=False)
    assert default.removesuffix("mail://") in str(env.email(NAME, default)["EMAIL_BACKEND"])


def test_nobody_has_to_verify_an_address_where_no_mail_leaves() -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": "",
        "SECRET_KEY": "s" * 32,
        "JWT_SIGNING_KEY": "j" * 32,
        "EMAIL_VERIFICATION": "required",
        "DJANGO_SETTINGS_MODULE": "chatproject.settings",
    }
    for more, starts in (({}, False), ({"EMAIL_URL": "smtp://127.0.0.1"}, True)):
        start = subprocess.run(
            [sys.executable, "-c", "import django; django.setup()"],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment | more,
        )
        assert (start.returncode == 0) is starts, start.stderr
        assert starts or "no mail leaves without EMAIL_URL" in start.stderr


def test_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, " Required ")
    assert env.choice(NAME, "off", among=("off", "required")) == "required"
    monkeypatch.setenv(NAME, "yes")
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} is 'yes'; set it to one of off, required"):
        env.choice(NAME, "off", among=("off", "required"))


def test_a_list_of_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, f"{'a' * 32}, {'b' * 40},")
    assert env.secrets(NAME) == ["a" * 32, "b" * 40]
    monkeypatch.setenv(NAME, f"{'a' * 32},short")
    with pytest.raises(ImproperlyConfigured, match=NAME) as raised:
        env.secrets(NAME)
    assert "short," not in str(raised.value)
