"""Many rows in one statement.

Django's `bulk_create` and `bulk_update` spend, for each value of each row, more time on the statement than the
database spends on carrying it out; where messages are sent by the hundred, most of a batch was spent there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)
R = TypeVar("R")

_MOST_PARAMETERS = 30_000  # SQLite takes 32,766
_MOST_CHARACTERS = 2_000_000
"""Of text in one statement. A character is up to four bytes, and MariaDB takes no statement of more than 16 MiB."""


def insert(rows: Sequence[Model]) -> None:
    """Save new rows of one model, all with their keys. No signals are sent.

    Raises:
        IntegrityError: one of them is there, or breaks another constraint; none is saved.
    """
    if not rows:
        return
    connection = transaction.get_connection()
    meta: Any = type(rows[0])._meta
    fields = meta.concrete_fields
    columns = ", ".join(_quoted(field.column) for field in fields)
    place = f"({', '.join(['%s'] * len(fields))})"
    with connection.cursor() as cursor:
        for part in _parts(
            [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
            for row in rows
        ):
            cursor.execute(
                f"INSERT INTO {_quoted(meta.db_table)} ({columns}) VALUES {', '.join([place] * len(part))}",  # nosec
                list(chain.from_iterable(part)),
            )


def _parts(rows: Iterable[list[Any]]) -> Iterator[list[list[Any]]]:
    """The rows' values, as many rows at a time as one statement takes."""
    part: list[list[Any]] = []
    parameters = characters = 0
    for values in rows:
        length = sum(len(value) for value in values if isinstance(value, str))
        if part and (parameters + len(values) > _MOST_PARAMETERS or characters + length > _MOST_CHARACTERS):
            yield part
            part, parameters, characters = [], 0, 0
        part.append(values)
        parameters, characters = parameters + len(values), characters + length
    if part:
        yield part


def update(rows: Collection[Model], *names: str) -> None:
    """Save the named fields of rows of one model, which this transaction has locked. No signals are sent."""
    if not rows:
        return
    connection = transaction.get_connection()
    meta: Any = type(next(iter(rows)))._meta
    key, fields = meta.pk, [meta.get_field(name) for name in names]
    keys = [key.get_db_prep_save(row.pk, connection) for row in rows]
    steps = f"CASE {_quoted(key.column)} {'WHEN %s THEN %s ' * len(rows)}END"
    settings = ", ".join(f"{_quoted(field.column)} = {steps}" for field in fields)
    values = (
        (key, field.get_db_prep_save(getattr(row, field.attname), connection))
        for field in fields
        for key, row in zip(keys, rows, strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_quoted(meta.db_table)} SET {settings} "  # nosec
            f"WHERE {_quoted(key.column)} IN ({', '.join(['%s'] * len(rows))})",
            [*chain.from_iterable(values), *keys],
        )


def among(rows: QuerySet[M, R], names: tuple[str, str], pairs: Collection[tuple[Any, Any]]) -> QuerySet[M, R]:
    """Those of the rows of which the two named fields are one of the pairs.

    By `extra`, since Django compares any other expression of ours with True, and then no index is used on MySQL.
    """
    connection = transaction.get_connection()
    meta: Any = rows.model._meta
    fields = [meta.get_field(name) for name in names]
    place = " AND ".join(f"{_quoted(meta.db_table)}.{_quoted(field.column)} = %s" for field in fields)
    values = [
        field.get_db_prep_save(value, connection)
        for pair in pairs
        for field, value in zip(fields, pair, strict=True)
    ]
    return rows.extra(where=[" OR ".join([f"({place})"] * len(pairs)) or "1 = 0"], params=values)  # nosec


def pages(rows: QuerySet[M], size: int = 500) -> Iterator[list[M]]:
    """All of the rows in the order of their keys, so many at a time: MySQL's client would take them in as a whole."""
    rows = rows.order_by("pk")
    page = list(rows[:size])
    while page:
        last = page[-1].pk  # who deletes a row takes its key away
        yield page
        page = list(rows.filter(pk__gt=last)[:size])


def saved_key(model: type[Model], key: Any) -> Any:
    """A key as the database has it, for a statement written by hand."""
    return model._meta.pk.get_db_prep_value(key, transaction.get_connection())


def _quoted(name: str) -> str:
    return transaction.get_connection().ops.quote_name(name)
