"""Reads of messaging."""

from messaging.selectors.messages import get_message, last_messages, messages_in, show

__all__ = ["get_message", "last_messages", "messages_in", "show"]
