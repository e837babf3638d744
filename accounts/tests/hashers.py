"""A password hasher that tells what it was asked, and whether a transaction was open then."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection


class WatchedHasher(MD5PasswordHasher):
    algorithm = "watched"
    in_transaction: ClassVar[list[bool]] = []

    def encode(self, password: str, salt: str) -> str:
        self.in_transaction.append(connection.in_atomic_block)
        return super().encode(password, salt)
