"""Reads of messaging."""

from messaging.selectors.messages import (
    get_message,
    last_messages,
    messages_in,
    readable_messages,
    replies_to,
    show,
)
from messaging.selectors.receipts import receipts_of
from messaging.selectors.search import Search

__all__ = [
    "Search",
    "get_message",
    "last_messages",
    "messages_in",
    "readable_messages",
    "receipts_of",
    "replies_to",
    "show",
]
