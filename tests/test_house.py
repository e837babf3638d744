"""The layout of the house: each domain app has the same rooms, no file outgrows a sitting, no migration is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
# fmt: off
ROOMS = {
    "models", "selectors", "services", "events", "schemas", "serializers", "views", "urls", "frames", "signals",
    "receivers", "admin", "apps", "migrations", "tests", "management",
}
# fmt: on
DOMAIN_APPS = {
    "accounts": ROOMS | {"tokens", "templates"},
    "friendships": ROOMS,
    "rooms": ROOMS,
    "messaging": ROOMS,
    "moderation": ROOMS,
}
LONGEST_FILE = 350
OUTSIDE = {".venv", ".git", "node_modules", "staticfiles", "media", "migrations"}


def sources(*patterns: str) -> list[Path]:
    found = [path for pattern in patterns for path in ROOT.rglob(pattern)]
    return sorted(path for path in found if not OUTSIDE & set(path.relative_to(ROOT).parts))


@pytest.mark.parametrize("app", DOMAIN_APPS)
def test_an_app_has_no_room_of_another_name(app: str) -> None:
    """A room may be a module or a package of the same name."""
    names = {
        path.stem
        for path in (ROOT / app).iterdir()
        if path.suffix == ".py" or (path.is_dir() and path.name != "__pycache__")
    }
    assert names - {"__init__"} <= DOMAIN_APPS[app]


def test_no_file_outgrows_a_sitting() -> None:
    files = sources("*.py", "*.sh", "Makefile", "Dockerfile", "docker-compose.yml")
    assert files
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if (lines := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_the_tests_that_the_documents_name_are_there() -> None:
    named = re.findall(r"`([\w/]*(?:\.py)?)::(test_\w+)`", (ROOT / "docs/testing.md").read_text())
    assert len(named) > 20
    file = ""
    for path, name in named:
        file = path or file  # `::test_…` alone is of the file before
        assert f"def {name}(" in (ROOT / file).read_text(), f"{file}::{name}"


@pytest.mark.django_db
def test_the_models_need_no_new_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
