"""What is pinned."""

from __future__ import annotations

from django.db import models

from messaging.models.messages import Message
from rooms.models import Room


class Pin(models.Model):
    """That a message is pinned; since when, its own `pinned_at` says. Finds the few of a room among its many messages."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="pin", primary_key=True)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return str(self.message_id)
