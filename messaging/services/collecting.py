"""Takes away the files that no message shows: never sent, or of a message that is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from operator import or_
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone

from core.errors import StorageUnavailable
from core.rows import pages
from core.storage import attachments
from core.transactions import transactional
from messaging.models import File

UNSENT_DAYS = 1
"""Older files that nobody sent are orphans, complete or not."""

logger = structlog.get_logger(__name__)


def orphans() -> Iterator[UUID]:
    """The ids of all orphans; reads a page at a time."""
    # Two walks: an index leads to what was never sent, but not to what is this or that.
    for condition in _orphaned():
        for page in pages(File.objects.filter(condition).only("id")):
            yield from (file.id for file in page)


def collect_file(file_id: UUID) -> bool:
    """Take an orphan away, from the store first; whether it is gone.

    One whose store does not answer is hidden from everyone, and stays an orphan for the next time.
    """
    file = _give_up(file_id)
    if file is None:
        return False
    try:
        attachments.remove(file.stored_as)
    except StorageUnavailable:
        logger.warning("orphan_left_behind", file_id=str(file_id))
        return False
    _forget(file)
    return True


@transactional
def _give_up(file_id: UUID) -> File | None:
    """The file, which nobody can send or see from now on; None if it is no orphan any more."""
    file = File.objects.select_for_update().filter(id=file_id).first()
    # Only under the lock does it stand still: a moment ago it may have been sent.
    if file is None or not File.objects.filter(or_(*_orphaned()), id=file_id).exists():
        return None
    file.completed_at = None
    file.save(update_fields=["completed_at"])
    return file


@transactional
def _forget(file: File) -> None:
    file.delete()


def _orphaned() -> tuple[Q, Q]:
    old = timezone.now() - timedelta(days=UNSENT_DAYS)
    return Q(unsent_since__lt=old), Q(unsent_since=None, messages=None)
