"""Who gets what, for every operation and every frame; and that a refusal changes nothing and tells nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from pytest_django.plugin import DjangoDbBlocker

from chatproject.routing import router
from core.errors import CATALOGUE, NotFound
from tests.security_rows import GROUPS, PEOPLE, ROWS, Row
from tests.security_stage import FOREIGN, OPEN, Answer, Stage, foreign, missing

BASE = "api/v1/"


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """For the whole module, and committed: what is refused then runs in its own transactions, as in real life."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(scope="module")
def stage(db: None) -> Stage:
    return Stage()


def named(row: Row) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", str(row.objects)))


def cases(rows: list[Row], people: tuple[str, ...]) -> list[object]:
    return [
        pytest.param(row, person, id=f"{row.operation} {row.body or ''} {person}")
        for row in rows
        for person in people
    ]


def refused(stage: Stage, person: str, row: Row, names: dict[str, str]) -> Answer:
    with stage.nothing_changes():
        return stage.ask(person, row, names)


@pytest.mark.parametrize(("row", "person"), cases(ROWS, PEOPLE))
def test_each_gets_what_the_row_says(stage: Stage, row: Row, person: str) -> None:
    expected, names = row.outcomes[person], stage.names(person)
    if expected not in CATALOGUE:
        with stage.taken_back():
            assert stage.ask(person, row, names) == Answer(expected)
        return
    answer = refused(stage, person, row, names)
    assert answer.outcome == expected
    if expected == NotFound.code:
        assert answer == refused(stage, person, row, missing(names, row))


OF_OBJECTS = [row for row in ROWS if named(row) and not named(row) & OPEN and FOREIGN not in str(row)]


@pytest.mark.parametrize(("row", "person"), cases(OF_OBJECTS, GROUPS["everyone"]))
def test_what_is_foreign_is_not_there(stage: Stage, row: Row, person: str) -> None:
    elsewhere = foreign(stage.names(person))
    answer = refused(stage, person, row, elsewhere)
    assert answer.outcome == NotFound.code
    assert answer == refused(stage, person, row, missing(elsewhere, row))


def operations(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """`GET api/v1/rooms/<slug:room_key>`, and so on."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from operations(pattern.url_patterns, path)
        elif path.startswith(BASE):
            yield from (f"{method.upper()} {path}" for method in pattern.callback.actions if method != "head")


def test_every_operation_and_every_frame_has_a_row_and_no_other_has() -> None:
    served = set(operations(get_resolver().url_patterns))
    assert "DELETE api/v1/rooms/<slug:room_key>" in served
    asked = set()
    for row in ROWS:
        if not row.is_frame:
            method, path = re.sub(r"\{\w+\}", "01a20445-d2d2-7371-bae7-5ddc3d096593", row.operation).split()
            asked.add(f"{method} {resolve(f'/{BASE}{path[1:]}'.partition('?')[0]).route}")
    assert asked == served
    assert {row.operation for row in ROWS if row.is_frame} == router.by_type.keys()


def test_every_object_has_a_foreign_counterpart_or_is_open(stage: Stage) -> None:
    known = stage.names("member")
    for row in ROWS:
        for name in named(row) - OPEN:
            assert name.startswith(FOREIGN) or FOREIGN + name in known, f"{name} of {row.operation}"
