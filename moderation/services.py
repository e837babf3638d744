"""Reporting, and what the staff make of reports."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from core.errors import ValidationFailed
from core.transactions import transactional
from moderation.models import Report
from moderation.selectors import evidence_of


@transactional
def report(
    reporter: User, *, target_type: str, target_id: UUID, reason: str, comment: str = ""
) -> tuple[Report, bool]:
    """Tell the staff of a user, a room or a message; the report, and whether it is new.

    A repeat gives the first report, also once the target can't be seen any more: what was said then stays.

    Raises:
        ValidationFailed: the reporter reports themselves.
        NotFound: nothing there that the reporter may see.
    """
    if target_type == Report.TargetType.USER and target_id == reporter.id:
        raise ValidationFailed.of("target_id", "self", "This is you.")
    mine = Report.objects.filter(reporter=reporter, target_type=target_type, target_id=target_id)
    if (earlier := mine.first()) is not None:
        return earlier, False
    evidence = evidence_of(reporter, target_type=target_type, target_id=target_id)
    # Of two at once the unique key lets one through, and the other finds it.
    return Report.objects.get_or_create(
        reporter=reporter,
        target_type=target_type,
        target_id=target_id,
        defaults={"reason": reason, "comment": comment, "evidence": evidence},
    )


@transactional
def resolve_reports(staff: User, *, report_ids: Collection[UUID]) -> int:
    """Something was done about these; how many of them were open."""
    return _close(staff, report_ids, Report.State.RESOLVED)


@transactional
def dismiss_reports(staff: User, *, report_ids: Collection[UUID]) -> int:
    """Nothing needs to be done about these; how many of them were open."""
    return _close(staff, report_ids, Report.State.DISMISSED)


def _close(staff: User, report_ids: Collection[UUID], state: Report.State) -> int:
    # Only what is open: of two of the staff the first one's name stays.
    still_open = Report.objects.filter(id__in=report_ids, state=Report.State.OPEN)
    return still_open.update(state=state, handled_by=staff, handled_at=timezone.now())
