"""Reads of messaging."""

from messaging.selectors.files import get_file, get_upload, signature_for, viewer_by
from messaging.selectors.messages import get_message, last_messages, messages_in, readable_messages, show

__all__ = [
    "get_file",
    "get_message",
    "get_upload",
    "last_messages",
    "messages_in",
    "readable_messages",
    "show",
    "signature_for",
    "viewer_by",
]
