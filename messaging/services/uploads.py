"""Uploads: a file comes through us, or goes straight to the store and is looked at there.

A row is saved before the store is asked, and again after it: what a process leaves behind that dies in between is
known, and collected.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePosixPath
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from accounts.models import User
from core import content, images
from core.errors import Conflict, NotFound, TooLarge, UnsupportedMediaType, ValidationFailed
from core.ids import new_id
from core.storage import attachments
from core.storage.attachments import Invitation, Stored
from core.transactions import transactional
from messaging.models import File
from messaging.selectors import get_upload

UPLOAD_HOURS = 3
"""An upload that was invited is completed within these, or never."""

NOT_TAKEN = "Files of this type are not taken."


class InvitedUpload(NamedTuple):
    """A file that is to come, and where its uploader may put it."""

    file: File
    invitation: Invitation


def upload_file(uploader: User, *, file: UploadedFile) -> File:
    """Take in a file. What it is, its content tells; its name only how it will be called.

    Raises:
        ValidationFailed: `empty`.
        TooLarge: more than MAX_UPLOAD_BYTES, or a picture of more than MAX_IMAGE_PIXELS.
        UnsupportedMediaType: of a type that is not taken, or broken.
        StorageUnavailable
    """
    name, size = file.name or "", file.size or 0
    if not size:
        raise ValidationFailed.of("file", "empty", "The file is empty.")
    _check_size(size)
    file.seek(0)
    content_type = content.content_type_of(file.read(content.HEAD_BYTES), name)
    if content_type is None:
        raise UnsupportedMediaType(NOT_TAKEN)
    row = _new_file(uploader, name=name, content_type=content_type, size=size)
    if _is_picture(row):
        row.width, row.height = images.size_of(file)
    _save(row)
    attachments.keep(row.stored_as, file)
    return _complete(row)


def invite_upload(uploader: User, *, filename: str, content_type: str, size: int) -> InvitedUpload:
    """Let a client bring a file to the store by itself; it tells when it has.

    Raises:
        TooLarge: more than MAX_UPLOAD_BYTES.
        UnsupportedMediaType: of a type that is not taken.
        Conflict: there is no store but us.
    """
    _check_size(size)
    if content_type not in content.EXTENSIONS:
        raise UnsupportedMediaType(NOT_TAKEN)
    row = _new_file(uploader, name=filename, content_type=content_type, size=size)
    invitation = attachments.invite(row.stored_as)
    if invitation is None:
        raise Conflict("This server keeps files itself: send them to POST /api/v1/uploads.")
    _save(row)
    return InvitedUpload(row, invitation)


def complete_upload(uploader: User, *, upload_id: UUID) -> File:
    """Look at what the client has put into the store; a repeat changes nothing.

    Raises:
        NotFound: no upload of the user's, or one that was invited too long ago.
        ValidationFailed: `missing`, or `mismatch` with what was announced.
        TooLarge: a picture of more than MAX_IMAGE_PIXELS.
        StorageUnavailable
    """
    row = get_upload(uploader, upload_id)
    if row.completed_at is not None:
        return row
    if row.created_at < timezone.now() - timedelta(hours=UPLOAD_HOURS):
        raise NotFound
    stored = attachments.inspect(row.stored_as)
    if stored is None:
        raise ValidationFailed.of("file", "missing", "The store has no such file yet.")
    _check_announced(row, stored)
    if _is_picture(row):
        images.check_pixels(stored.width or 0, stored.height or 0)
    row.width, row.height, row.duration = stored.width, stored.height, stored.duration
    return _complete(row)


def _new_file(uploader: User, *, name: str, content_type: str, size: int) -> File:
    id_ = new_id()
    return File(
        id=id_,
        uploader=uploader,
        name=content.fitting_name(name, content_type),
        content_type=content_type,
        size=size,
        # Spread over directories by the last two digits: the first ones of an id are the time.
        stored_as=f"attachments/{id_.hex[-2:]}/{id_.hex}.{content.EXTENSIONS[content_type][0]}",
    )


@transactional
def _save(row: File) -> None:
    row.save(force_insert=True)


@transactional
def _complete(row: File) -> File:
    """Raises NotFound: it was taken for given up, and collected."""
    row.completed_at = timezone.now()
    found = {"width": row.width, "height": row.height, "duration": row.duration}
    if not File.objects.filter(id=row.id).update(completed_at=row.completed_at, **found):
        raise NotFound
    return row


def _check_size(size: int) -> None:
    if size > settings.MAX_UPLOAD_BYTES:
        raise TooLarge(f"A file has at most {settings.MAX_UPLOAD_BYTES} bytes.")


def _check_announced(row: File, stored: Stored) -> None:
    if stored.size != row.size:
        raise ValidationFailed.of("size", "mismatch", "The file in the store has another size.")
    if content.content_type_of(stored.head, PurePosixPath(row.stored_as).name) != row.content_type:
        raise ValidationFailed.of("content_type", "mismatch", "The file in the store is of another type.")


def _is_picture(row: File) -> bool:
    return row.content_type.startswith("image/")
