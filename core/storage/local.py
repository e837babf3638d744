"""Attachments on this machine."""

from __future__ import annotations

from django.core.files.storage import FileSystemStorage


class LocalAttachments(FileSystemStorage):
    """Files below MEDIA_ROOT. No path of a URL leads to them, and no other user of the machine may read them."""

    def __init__(self) -> None:
        super().__init__(file_permissions_mode=0o600, directory_permissions_mode=0o700)

    def link(self, name: str, *, seconds: int, inline: bool) -> None:
        return None

    def invite(self, name: str) -> None:
        return None

    def inspect(self, name: str) -> None:
        """Nobody is invited to put files here, so none is; who was, was sent to another store before."""
        return
