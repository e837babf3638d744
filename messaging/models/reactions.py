"""Who reacted to what, and how."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from core.fields import ExactCharField
from messaging.models.messages import Message


class Reaction(models.Model):
    """One user's emoji on a message.

    The key (message, emoji, user) says that there is one of each; it also counts a message's by emoji.
    """

    MAX_EMOJI_LENGTH = 32

    pk = models.CompositePrimaryKey("message_id", "emoji", "user_id")
    # Without an index of its own: the key begins with this column.
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Compared byte by byte: to many a collation all emoji are the same.
    emoji = ExactCharField(max_length=MAX_EMOJI_LENGTH)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.emoji} of {self.user_id} on {self.message_id}"
