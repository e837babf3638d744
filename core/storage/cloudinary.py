"""Files with Cloudinary: attachments by its own library, avatars by django-cloudinary-storage."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import cloudinary
from cloudinary import api, uploader, utils
from cloudinary.exceptions import BadRequest, NotFound
from cloudinary_storage.storage import MediaCloudinaryStorage
from django.conf import settings
from django.core.files.storage import Storage
from urllib3 import Retry, Timeout

from core.content import EXTENSIONS, HEAD_BYTES
from core.errors import UnsupportedMediaType
from core.storage.attachments import Invitation, Stored

SIGNATURE_SECONDS = 3600
"""So long Cloudinary takes a signed upload."""

CHUNK_BYTES = 6_000_000
"""A file is read and sent in parts of so much; Cloudinary takes none below 5 MB but the last."""

# A signed form is good for an hour: it must not put another file in the place of one that was looked at.
_NEW = {"overwrite": False}

_RESOURCE_TYPES = {
    extension: {"image": "image", "video": "video", "audio": "video"}.get(type_.partition("/")[0], "raw")
    for type_, extensions in EXTENSIONS.items()
    for extension in extensions[:1]
}


def _connect() -> Any:
    """Point the library to the account of the settings; by itself it waits for ever, and asks four times."""
    config = cloudinary.config(**settings.CLOUDINARY, secure=True)
    patience = {
        "timeout": Timeout(settings.STORAGE_SECONDS),
        "retries": Retry(total=None, connect=0, read=0, other=0, status=0, redirect=3),
    }
    http = utils.get_http_connector(config, {**cloudinary.CERT_KWARGS, **patience})
    # By name, since the package has a function of this name as well.
    import_module("cloudinary.api_client.call_api")._http = uploader._http = http  # type: ignore[attr-defined] # noqa: SLF001
    return http


class CloudinaryAvatars(MediaCloudinaryStorage):
    """Public pictures."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        _connect()


class CloudinaryAttachments(Storage):
    """Private files (`type: authenticated`): each URL that opens one is signed.

    A name is a path and one of the EXTENSIONS; it is never given twice.
    """

    def __init__(self) -> None:
        self._http = _connect()

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: Any) -> str:
        try:
            uploader.upload_large(content, filename="file", chunk_size=CHUNK_BYTES, **_address(name), **_NEW)
        except BadRequest:
            raise UnsupportedMediaType("The file store does not take this for what it seems to be.") from None
        return name

    def delete(self, name: str) -> None:
        address = _address(name)
        uploader.destroy(address.pop("public_id"), invalidate=True, **address)

    def link(self, name: str, *, seconds: int, inline: bool) -> str:
        address = _address(name)
        format_ = "" if address["resource_type"] == "raw" else name.rpartition(".")[2]
        url: str = utils.private_download_url(
            address.pop("public_id"),
            format_,
            attachment=None if inline else True,
            expires_at=int(time.time()) + seconds,
            **address,
        )
        return url

    def invite(self, name: str) -> Invitation:
        address = _address(name)
        resource_type = address.pop("resource_type")
        now = int(time.time())
        fields = utils.sign_request({**address, **_NEW, "timestamp": now}, {})
        return Invitation(
            url=utils.cloudinary_api_url("upload", resource_type=resource_type),
            fields={key: str(value) for key, value in fields.items()},
            expires_at=datetime.fromtimestamp(now + SIGNATURE_SECONDS, UTC),
        )

    def inspect(self, name: str) -> Stored | None:
        address = _address(name)
        try:
            found = api.resource(address.pop("public_id"), **address)
        except NotFound:
            return None
        return Stored(
            size=int(found["bytes"]),
            width=found.get("width"),
            height=found.get("height"),
            duration=found.get("duration"),
            head=self._head(name),
        )

    def _head(self, name: str) -> bytes:
        """Its first bytes, since Cloudinary looks into pictures and films only."""
        url = self.link(name, seconds=settings.FILE_LINK_SECONDS, inline=True)
        wanted = {"Range": f"bytes=0-{HEAD_BYTES - 1}"}
        response = self._http.request("GET", url, headers=wanted, preload_content=False)
        try:
            if response.status not in (200, 206):
                raise ConnectionError("The file can't be read.")
            head: bytes = response.read(HEAD_BYTES)
        finally:
            response.close()
        return head


def _address(name: str) -> dict[str, Any]:
    """Of pictures and films Cloudinary's names have no extension."""
    stem, _, extension = name.rpartition(".")
    resource_type = _RESOURCE_TYPES[extension]
    public_id = name if resource_type == "raw" else stem
    return {"public_id": public_id, "resource_type": resource_type, "type": "authenticated"}
