"""Tables of messaging."""

from messaging.models.files import File
from messaging.models.messages import Message

__all__ = ["File", "Message"]
