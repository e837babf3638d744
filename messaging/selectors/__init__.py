"""Reads of messaging."""

from messaging.selectors.messages import (
    get_message,
    get_sent_message,
    last_messages,
    messages_in,
    readable_messages,
    show,
)

__all__ = ["get_message", "get_sent_message", "last_messages", "messages_in", "readable_messages", "show"]
