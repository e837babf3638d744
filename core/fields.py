"""Model fields that behave alike on SQLite and MySQL."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class ExactCharField(models.CharField):
    """Text compared byte by byte on every database.

    MySQL's default collations take "A", "a" and "á" for one another and ignore trailing spaces;
    keys that a client chose must not collide that way.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
