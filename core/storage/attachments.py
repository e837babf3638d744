"""Files that people send each other: private, so that nobody gets at them but through a view that knows the viewer.

All that talks to the store raises StorageUnavailable when that fails.
"""

from __future__ import annotations

from datetime import datetime
from typing import IO, Any, NamedTuple, Protocol, cast

from django.core.files.base import File
from django.core.files.storage import storages

from core.storage.guard import guarded


class Invitation(NamedTuple):
    """Where a client may put a file by itself: a form of `fields`, and `file`, posted to `url` before `expires_at`."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


class Stored(NamedTuple):
    """What the store says of a file, and its first bytes."""

    size: int
    width: int | None
    height: int | None
    duration: float | None
    head: bytes


class Attachments(Protocol):
    """What a store of attachments can do, besides what Django's Storage does."""

    def save(self, name: str, content: Any) -> str: ...

    def delete(self, name: str) -> None:
        """Of what isn't there, too."""

    def link(self, name: str, *, seconds: int, inline: bool) -> str | None:
        """A URL that opens a file, to anyone, for so long; None where files are here, to be read."""

    def open(self, name: str) -> IO[bytes]:
        """Where no link leads to it."""

    def invite(self, name: str) -> Invitation | None:
        """None where clients can't bring files by themselves."""

    def inspect(self, name: str) -> Stored | None:
        """None if nothing is there."""


def _store() -> Attachments:
    return cast(Attachments, storages["attachments"])


def keep(name: str, file: IO[bytes]) -> None:
    """Store a file. Raises UnsupportedMediaType: the store does not take it for what its name says."""
    file.seek(0)
    with guarded():
        _store().save(name, file if isinstance(file, File) else File(file))


def link(name: str, *, seconds: int, inline: bool) -> str | None:
    """A URL that opens a file, to anyone, for so long; None where files are here, to be read."""
    return _store().link(name, seconds=seconds, inline=inline)


def read(name: str) -> IO[bytes]:
    """A file, where no link leads to it."""
    with guarded():
        return _store().open(name)


def remove(name: str) -> None:
    """Delete a file, if it is there."""
    with guarded():
        _store().delete(name)


def invite(name: str) -> Invitation | None:
    """Let a client bring a file by itself; None where that can't be done."""
    return _store().invite(name)


def inspect(name: str) -> Stored | None:
    """What the store says of a file; None if nothing is there."""
    with guarded():
        return _store().inspect(name)
