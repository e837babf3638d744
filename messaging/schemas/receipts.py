"""Who has read a message, or got it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from accounts.schemas import UserCard, user_card
from core.pagination import Page


class MessageReceipt(msgspec.Struct):
    """How far a message has come with someone: a device of theirs has got it, or they have read it."""

    user: UserCard
    status: Literal["read", "delivered"]


class MessageReceiptPage(Page[MessageReceipt]):
    pass


def message_receipts(rows: Iterable[Any]) -> list[MessageReceipt]:
    """Needs memberships with their `user` and `is_read`."""
    return [MessageReceipt(user_card(row.user), "read" if row.is_read else "delivered") for row in rows]
