"""Tables of messaging."""

from messaging.models.files import File
from messaging.models.mentions import Mention
from messaging.models.messages import Message
from messaging.models.pins import Pin
from messaging.models.reactions import Reaction
from messaging.models.revisions import Revision

__all__ = ["File", "Mention", "Message", "Pin", "Reaction", "Revision"]
