"""What rooms asks of the apps above it."""

from django.dispatch import Signal

last_messages_asked = Signal()
"""Asked with `viewer` and `rooms`; a receiver returns {room_id: message as clients see it}.

`viewer` is None where the answer goes to several users: then without keys that depend on one.
"""
