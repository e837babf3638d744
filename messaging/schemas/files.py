"""Files as clients see them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from core.storage.attachments import Invitation
from core.timestamps import Timestamp, rfc3339
from messaging import models


class File(msgspec.Struct):
    """A file. `url` never changes and needs an access token; `duration` is in seconds."""

    id: UUID
    url: str
    name: str
    content_type: str
    size: int
    width: int | None
    height: int | None
    duration: float | None
    thumbnail_url: str | None


class FileWithLink(File):
    """A file, and a `download_url` that opens it without a token, for a short while."""

    download_url: str


class SignedUpload(msgspec.Struct):
    """Post a form of these `fields`, and the file as `file`, to `upload_url`; then complete the upload."""

    upload_id: UUID
    upload_url: str
    fields: dict[str, str]
    expires_at: Timestamp


FILE_COLUMNS = ("id", "name", "content_type", "size", "width", "height", "duration")


def file_url(file_id: UUID) -> str:
    """Where the content of a file is."""
    return f"/api/v1/files/{file_id}/content"


def file(row: Any) -> File:
    """A file; needs its FILE_COLUMNS."""
    return File(**_fields(row))


def file_with_link(row: models.File, download_url: str) -> FileWithLink:
    """A file and the link to it."""
    return FileWithLink(**_fields(row), download_url=download_url)


def signed_upload(row: models.File, invitation: Invitation) -> SignedUpload:
    """What a client needs to bring a file by itself."""
    return SignedUpload(
        upload_id=row.id,
        upload_url=invitation.url,
        fields=invitation.fields,
        expires_at=rfc3339(invitation.expires_at),
    )


def _fields(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": file_url(row.id),
        "name": row.name,
        "content_type": row.content_type,
        "size": row.size,
        "width": row.width,
        "height": row.height,
        "duration": row.duration,
        "thumbnail_url": None,
    }
