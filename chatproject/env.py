"""Reads the environment for `settings`. A missing or odd value stops the start, with its name and the cure."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent

_env = environ.Env()

# ENV_FILE= (empty) reads none. What is set in the environment wins over the file.
if (env_file := os.environ.get("ENV_FILE", str(ROOT / ".env"))) and Path(env_file).is_file():
    environ.Env.read_env(env_file)


def text(name: str, default: str = "") -> str:
    """A string; the empty string counts as not set."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    """true/false, yes/no, on/off, 1/0."""
    value = text(name, str(default)).lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; set it to true or false.")


def number(name: str, default: int, *, least: int = 0) -> int:
    """A whole number of at least `least`."""
    value = text(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise ImproperlyConfigured(f"{name} is {value!r}; set it to a whole number of at least {least}.")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, default: str, *, among: Sequence[str]) -> str:
    """One of the words."""
    value = text(name, default).lower()
    if value not in among:
        raise ImproperlyConfigured(f"{name} is {value!r}; set it to one of {', '.join(among)}.")
    return value


def secret(name: str, *, debug: bool) -> str:
    """A secret of at least 32 characters. Only with DEBUG is there a default, the same for everyone."""
    value = text(name) or ("development-only-not-a-secret-" + name.lower() if debug else "")
    if len(value) < 32:
        raise ImproperlyConfigured(
            f"{name} is {'too short' if value else 'not set'}. Set it to at least 32 random characters: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(48))". '
            "For development, DEBUG=true gives it a value."
        )
    return value


def secrets(name: str) -> list[str]:
    """A comma-separated list of secrets, each of at least 32 characters."""
    values = words(name)
    if any(len(value) < 32 for value in values):
        raise ImproperlyConfigured(
            f"{name} has one that is too short: at least 32 characters, commas between."
        )
    return values


def database(name: str, default: str) -> dict[str, object]:
    """A Django database from a URL: `sqlite:///path` or `mysql://user:password@host:port/name`."""
    value = text(name, default)
    scheme = value.partition("://")[0]
    if scheme not in ("sqlite", "mysql", "mariadb"):
        raise ImproperlyConfigured(
            f"{name} starts with {scheme!r}; use sqlite:///… or mysql://user:password@host:3306/name."
        )
    return dict(_env.db_url_config(value.replace("mariadb://", "mysql://", 1)))


def cloudinary(name: str) -> dict[str, object]:
    """An account of Cloudinary's from the URL that its console shows, as their library wants it; empty if not set."""
    value = text(name)
    # The library reads the variable by itself, and fails at its import where this would say what is wrong.
    match = re.fullmatch(
        r"cloudinary://(\w+):([\w-]+)@([\w-]+)(?:\?upload_prefix=(https?://[\w.:-]+))?", value
    )
    if value and not match:
        raise ImproperlyConfigured(
            f"{name} is odd; set it to cloudinary://<API key>:<API secret>@<cloud name>, as the console of "
            "Cloudinary shows it, or leave it empty to keep files in MEDIA_ROOT."
        )
    names = ("api_key", "api_secret", "cloud_name", "upload_prefix")
    return {key: found for key, found in zip(names, match.groups(), strict=True) if found} if match else {}


def email(name: str, default: str) -> dict[str, object]:
    """Django's settings of a mail server from a URL: `smtp+tls://user:password@host:587`."""
    try:
        found = dict(_env.email_url_config(text(name, default)))
    except (ImproperlyConfigured, ValueError):
        found = {}
    if not found.get("EMAIL_HOST") and not str(found.get("EMAIL_BACKEND")).endswith(
        (".console.EmailBackend", ".dummy.EmailBackend")
    ):
        # Without what it is: there may be a password in it.
        raise ImproperlyConfigured(
            f"{name} is no mail server; use smtp+tls://user:password@host:587, smtp+ssl://user:password@host:465, "
            "smtp://host:25, consolemail:// or dummymail://."
        )
    return found
