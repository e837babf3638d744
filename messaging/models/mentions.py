"""Who is named in which message."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from messaging.models.messages import Message
from rooms.models import Room


class Mention(models.Model):
    """That a message names a member of its room. `room` and `seq` are the message's own, for counting."""

    pk = models.CompositePrimaryKey("message_id", "user_id")
    # Without an index of its own: the key begins with this column.
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Likewise: the index in Meta begins with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+")
    seq = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # How often I am named in a room after what I have read.
            models.Index(fields=["user", "room", "seq"], name="mention_user_room_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.message_id}"
