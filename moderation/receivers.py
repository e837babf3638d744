"""Answers to what the apps below ask."""

from __future__ import annotations

from itertools import chain
from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import Exported, export_asked
from core.rows import pages
from moderation.models import Report
from moderation.schemas import report


@receiver(export_asked)
def tell_all(*, user: User, **_signal: Any) -> list[Exported]:
    reports = chain.from_iterable(pages(Report.objects.filter(reporter=user)))
    return [Exported("reports.json", "What you have reported to the staff.", map(report, reports))]
