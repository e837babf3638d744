"""Reads of files. A viewer sees their own, and those of the messages that they may read."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db.models import Q

from accounts.models import User
from core.errors import NotFound, TokenExpired, TokenInvalid
from messaging.models import File
from messaging.selectors.messages import readable_messages

_LINK = "file.link"


def get_file(viewer: User, file_id: UUID) -> File:
    """A file of the viewer's, or of a message that they may read; gone with its message. Raises NotFound."""
    unsent = Q(unsent_since__isnull=False)
    shown = Q(messages__isnull=False)
    found = File.objects.filter(unsent | shown, id=file_id, completed_at__isnull=False).first()
    if found is None:
        raise NotFound
    if found.uploader_id != viewer.id and not readable_messages(viewer).filter(file=found).exists():
        raise NotFound
    return found


def get_upload(uploader: User, upload_id: UUID) -> File:
    """An upload of the user's, complete or not. Raises NotFound."""
    found = File.objects.filter(uploader=uploader, id=upload_id).first()
    if found is None:
        raise NotFound
    return found


def signature_for(viewer: User, file: File) -> str:
    """What lets the viewer, and whom they give it to, have the file for FILE_LINK_SECONDS without a token."""
    return signing.dumps([str(file.id), str(viewer.id)], salt=_LINK)


def viewer_by(signature: str, file_id: UUID) -> User:
    """Whom a signature for this file was made for.

    Raises:
        TokenExpired, TokenInvalid
    """
    try:
        signed = signing.loads(signature, salt=_LINK, max_age=timedelta(seconds=settings.FILE_LINK_SECONDS))
    except signing.SignatureExpired:
        raise TokenExpired("This link has expired; ask for the file again.") from None
    except signing.BadSignature:
        raise TokenInvalid("This link is not one of ours.") from None
    viewer = User.objects.filter(id=signed[1], is_active=True).first()
    if viewer is None or signed[0] != str(file_id):
        raise TokenInvalid("This link is not one of ours.")
    return viewer
