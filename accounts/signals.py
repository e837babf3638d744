"""What accounts asks of the apps above it."""

from django.dispatch import Signal

relationships_asked = Signal()
"""Asked with `viewer` and `user_ids`; a receiver returns {user_id: Relationship} for those that aren't "none"."""

acquaintances_asked = Signal()
"""Asked with `viewer` and `user_ids`; a receiver returns {user_id: Acquaintance} for those who let the viewer see
whether they are here, if their own `last_seen` doesn't keep it from such as the viewer is.
"""

hidden_users_asked = Signal()
"""Asked with `viewer`; a receiver returns the ids of those who are not there for the viewer, as a queryset.

A queryset, since it goes into the query that looks for users: no page of a search may fall short by a
hidden one, and no look-up takes a query more.
"""
