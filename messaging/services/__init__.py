"""Writes of messaging."""

from messaging.services.collecting import collect_file, orphans
from messaging.services.drafts import Draft
from messaging.services.markers import mark_delivered, mark_read, set_typing
from messaging.services.sending import Sent, room_to_send, room_to_send_each, send_message, send_messages
from messaging.services.uploads import InvitedUpload, complete_upload, invite_upload, upload_file

__all__ = [
    "Draft",
    "InvitedUpload",
    "Sent",
    "collect_file",
    "complete_upload",
    "invite_upload",
    "mark_delivered",
    "mark_read",
    "orphans",
    "room_to_send",
    "room_to_send_each",
    "send_message",
    "send_messages",
    "set_typing",
    "upload_file",
]
