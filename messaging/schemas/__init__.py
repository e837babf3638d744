"""What clients see of messaging: the same objects in REST answers and in frames."""

from messaging.schemas.files import (
    FILE_COLUMNS,
    File,
    FileWithLink,
    SignedUpload,
    file,
    file_url,
    file_with_link,
    signed_upload,
)
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
from messaging.schemas.sync import Snapshot

__all__ = [
    "FILE_COLUMNS",
    "File",
    "FileWithLink",
    "Message",
    "MessagePage",
    "Parts",
    "ReadMarker",
    "Receipt",
    "RoomMessage",
    "SentMessage",
    "SignedUpload",
    "Snapshot",
    "Typing",
    "file",
    "file_url",
    "file_with_link",
    "message",
    "message_of",
    "room_message",
    "sent_message",
    "signed_upload",
]
