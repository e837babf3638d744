"""Reads of messaging."""

from messaging.selectors.files import get_file, get_upload, signature_for, viewer_by
from messaging.selectors.messages import (
    get_message,
    get_sent_message,
    last_messages,
    messages_in,
    readable_messages,
    replies_to,
    show,
)
from messaging.selectors.parts import mentions_of, reactions_to
from messaging.selectors.pins import pins_in
from messaging.selectors.receipts import receipts_of
from messaging.selectors.revisions import revisions_of
from messaging.selectors.search import Search
from messaging.selectors.unread import unread_of

__all__ = [
    "Search",
    "get_file",
    "get_message",
    "get_sent_message",
    "get_upload",
    "last_messages",
    "mentions_of",
    "messages_in",
    "pins_in",
    "reactions_to",
    "readable_messages",
    "receipts_of",
    "replies_to",
    "revisions_of",
    "show",
    "signature_for",
    "unread_of",
    "viewer_by",
]
