"""What the log says upward: `realtime` listens, the log doesn't know it."""

from django.dispatch import Signal

events_committed = Signal()
"""Sent after the commit, with `events`: list[LoggedEvent] in the order in which they were appended."""
