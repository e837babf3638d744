"""What accounts asks of the apps above it."""

from django.dispatch import Signal

relationships_asked = Signal()
"""Asked with `viewer` and `user_ids`; a receiver returns {user_id: Relationship} for those that aren't "none"."""

acquaintances_asked = Signal()
"""Asked with `viewer` and `user_ids`; a receiver returns those whose presence the viewer may see, as a set."""
