"""Writes of messaging."""

from messaging.services.collecting import collect_file, orphans
from messaging.services.drafts import Draft
from messaging.services.editing import delete_message, edit_message
from messaging.services.erasing import erase_messages
from messaging.services.markers import mark_delivered, mark_read, set_typing
from messaging.services.pins import pin_message, unpin_message
from messaging.services.reactions import add_reaction, remove_reaction
from messaging.services.sending import Sent, room_to_send_each, send_message, send_messages
from messaging.services.uploads import InvitedUpload, complete_upload, invite_upload, upload_file

__all__ = [
    "Draft",
    "InvitedUpload",
    "Sent",
    "add_reaction",
    "collect_file",
    "complete_upload",
    "delete_message",
    "edit_message",
    "erase_messages",
    "invite_upload",
    "mark_delivered",
    "mark_read",
    "orphans",
    "pin_message",
    "remove_reaction",
    "room_to_send_each",
    "send_message",
    "send_messages",
    "set_typing",
    "unpin_message",
    "upload_file",
]
