"""Keyset pages: stable while rows come and go, and as fast on the last page as on the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from core.errors import InvalidParameter
from core.serializers import read_query

T = TypeVar("T")
M = TypeVar("M", bound=Model)

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


class Page(msgspec.Struct, Generic[T]):
    """Every list in the API. A cursor is opaque; null means that there is no page there."""

    results: list[T]
    next_cursor: str | None = None
    previous_cursor: str | None = None


class Place(NamedTuple):
    """Where a page begins: beyond these values of the order's fields, or at the list's end; in which direction it goes."""

    values: list[Any] | None
    backwards: bool


Find = Callable[[QuerySet[M], int, Place], Sequence[M]]


class PageQuery(serializers.Serializer[Any]):
    """The parameters that every list takes."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)
    cursor = serializers.CharField(max_length=500, required=False, help_text="From a page before.")


@dataclass(frozen=True)
class Keyset:
    """A list's order, and so its cursors.

    Args:
        name: binds a cursor to its list, so that one of another list is refused.
        order: field names as `order_by` takes them, the last one unique. Values are read from the
            rows by attribute, `__` meaning a related object.
    """

    name: str
    order: tuple[str, ...]

    def page(
        self,
        request: Request,
        rows: QuerySet[M],
        show: Callable[[Sequence[M]], list[T]],
        find: Find[M] | None = None,
    ) -> Page[T]:
        """The page of `rows` that `request` asks for, with `show` turning the rows into results.

        `find` is for what one statement takes too long to find: it gives the first so many of the ordered rows.

        Raises:
            InvalidParameter: `limit` out of 1 to 100, or a `cursor` that this list did not give.
        """
        query = read_query(PageQuery, request)
        limit, cursor = query["limit"], query.get("cursor")
        backwards, values = self._read(cursor) if cursor else (False, None)
        order = [_flipped(name) for name in self.order] if backwards else list(self.order)
        if values is not None:
            rows = rows.filter(_beyond(order, values))
        rows = rows.order_by(*order)
        found = list(find(rows, limit + 1, Place(values, backwards)) if find else rows[: limit + 1])
        more, found = len(found) > limit, found[:limit]
        if backwards:
            found.reverse()
        has_next, has_previous = (cursor is not None, more) if backwards else (more, cursor is not None)
        return Page(
            results=show(found),
            next_cursor=self.cursor(found[-1]) if found and has_next else None,
            previous_cursor=self.cursor(found[0], backwards=True) if found and has_previous else None,
        )

    def cursor(self, row: Model, *, backwards: bool = False) -> str:
        """The cursor of the rows after `row`, or before it."""
        values = [_portable(_attribute(row, name.lstrip("-"))) for name in self.order]
        return signing.dumps([backwards, *values], salt=f"cursor.{self.name}", compress=False)

    def gave(self, cursor: str | None) -> bool:
        """Whether `cursor` is one of this list's."""
        try:
            return cursor is not None and bool(self._read(cursor))
        except InvalidParameter:
            return False

    def _read(self, cursor: str) -> tuple[bool, list[Any]]:
        try:
            backwards, *values = signing.loads(cursor, salt=f"cursor.{self.name}")
        except signing.BadSignature:
            raise InvalidParameter("This cursor is not one that this list gave.") from None
        return backwards, [_restored(value) for value in values]


def _flipped(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(order: list[str], values: list[Any]) -> Q:
    """Rows after `values`: (a, b) > (x, y) spelled as a > x OR (a = x AND b > y)."""
    condition, equal = Q(), Q()
    for name, value in zip(order, values, strict=True):
        field, operator = (name[1:], "lt") if name.startswith("-") else (name, "gt")
        condition |= equal & Q(**{f"{field}__{operator}": value})
        equal &= Q(**{field: value})
    return condition


def _attribute(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def _portable(value: Any) -> Any:
    match value:
        case datetime():
            return {"t": value.isoformat()}
        case UUID():
            return str(value)
    return value


def _restored(value: Any) -> Any:
    return datetime.fromisoformat(value["t"]) if isinstance(value, dict) else value
