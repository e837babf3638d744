"""Attachments on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Never

from django.core.files.storage import FileSystemStorage


class LocalAttachments(FileSystemStorage):
    """Files below MEDIA_ROOT. No path of a URL leads to them, and no other user of the machine may read them."""

    def __init__(self) -> None:
        super().__init__(file_permissions_mode=0o600, directory_permissions_mode=0o700)

    def link(self, name: str, *, seconds: int, inline: bool) -> None:
        return None

    def read(self, name: str) -> IO[bytes]:
        return Path(self.path(name)).open("rb")

    def invite(self, name: str) -> None:
        return None

    def inspect(self, name: str) -> Never:
        raise NotImplementedError("Nobody is invited to put files here.")
