"""What clients see of messaging: the same objects in REST answers and in frames."""

from messaging.schemas.markers import ReadMarker, Receipt, Typing
from messaging.schemas.messages import (
    Message,
    MessagePage,
    Parts,
    RoomMessage,
    SentMessage,
    message,
    message_of,
    room_message,
    sent_message,
)
from messaging.schemas.receipts import MessageReceipt, MessageReceiptPage, message_receipts
from messaging.schemas.search import FoundMessage, FoundMessagePage, found_message
from messaging.schemas.sync import Snapshot

__all__ = [
    "FoundMessage",
    "FoundMessagePage",
    "Message",
    "MessagePage",
    "MessageReceipt",
    "MessageReceiptPage",
    "Parts",
    "ReadMarker",
    "Receipt",
    "RoomMessage",
    "SentMessage",
    "Snapshot",
    "Typing",
    "found_message",
    "message",
    "message_of",
    "message_receipts",
    "room_message",
    "sent_message",
]
