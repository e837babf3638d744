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
from messaging.schemas.sync import Snapshot

__all__ = [
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
    "message",
    "message_of",
    "message_receipts",
    "room_message",
    "sent_message",
]
