"""What a commit that appended events sets off: the doorbell, and a count."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from core import metrics
from eventlog.log import LoggedEvent
from eventlog.signals import events_committed
from realtime import publish


@receiver(events_committed)
def ring_the_doorbell(events: list[LoggedEvent], **_: Any) -> None:
    publish.ring(events)


@receiver(events_committed)
def count(events: list[LoggedEvent], **_: Any) -> None:
    for event in events:
        metrics.events.labels(event.type).inc()
