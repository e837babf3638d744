"""The doorbell: every commit that appended events rings it."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from eventlog.log import LoggedEvent
from eventlog.signals import events_committed
from realtime import publish


@receiver(events_committed)
def ring_the_doorbell(events: list[LoggedEvent], **_: Any) -> None:
    publish.ring(events)
