"""What clients see of messaging: the same objects in REST answers and in frames."""

from messaging.schemas.edits import (
    MessageDeleted,
    MessageUpdated,
    Revision,
    RevisionPage,
    message_deleted,
    message_updated,
    revision,
)
from messaging.schemas.exports import (
    exported_files,
    exported_messages,
    exported_reactions,
    exported_revisions,
)
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
from messaging.schemas.markers import ReadMarker, Receipt, Typing, Unread, UnreadRoom
from messaging.schemas.messages import (
    Message,
    MessagePage,
    Parts,
    Reaction,
    RoomMessage,
    SentMessage,
    message,
    message_of,
    room_message,
    sent_message,
)
from messaging.schemas.pins import MessagePinned, MessageUnpinned, message_pinned
from messaging.schemas.reactions import ReactionChanged, Reactions
from messaging.schemas.receipts import MessageReceipt, MessageReceiptPage, message_receipts
from messaging.schemas.search import FoundMessage, FoundMessagePage, found_message
from messaging.schemas.sync import Snapshot

__all__ = [
    "FILE_COLUMNS",
    "File",
    "FileWithLink",
    "FoundMessage",
    "FoundMessagePage",
    "Message",
    "MessageDeleted",
    "MessagePage",
    "MessagePinned",
    "MessageReceipt",
    "MessageReceiptPage",
    "MessageUnpinned",
    "MessageUpdated",
    "Parts",
    "Reaction",
    "ReactionChanged",
    "Reactions",
    "ReadMarker",
    "Receipt",
    "Revision",
    "RevisionPage",
    "RoomMessage",
    "SentMessage",
    "SignedUpload",
    "Snapshot",
    "Typing",
    "Unread",
    "UnreadRoom",
    "exported_files",
    "exported_messages",
    "exported_reactions",
    "exported_revisions",
    "file",
    "file_url",
    "file_with_link",
    "found_message",
    "message",
    "message_deleted",
    "message_of",
    "message_pinned",
    "message_receipts",
    "message_updated",
    "revision",
    "room_message",
    "sent_message",
    "signed_upload",
]
