"""Writes of messaging."""

from messaging.services.drafts import Draft
from messaging.services.editing import delete_message, edit_message
from messaging.services.markers import mark_delivered, mark_read, set_typing
from messaging.services.pins import pin_message, unpin_message
from messaging.services.reactions import add_reaction, remove_reaction
from messaging.services.sending import Sent, room_to_send_each, send_message, send_messages

__all__ = [
    "Draft",
    "Sent",
    "add_reaction",
    "delete_message",
    "edit_message",
    "mark_delivered",
    "mark_read",
    "pin_message",
    "remove_reaction",
    "room_to_send_each",
    "send_message",
    "send_messages",
    "set_typing",
    "unpin_message",
]
