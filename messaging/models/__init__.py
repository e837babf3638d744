"""Tables of messaging."""

from messaging.models.messages import Message

__all__ = ["Message"]
