"""Faces of users and rooms: public, under names that nobody guesses."""

from __future__ import annotations

from typing import IO
from uuid import uuid4

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from core import images
from core.errors import StorageUnavailable
from core.storage.guard import guarded

SIDE = 512
"""Of the square, in pixels, at most."""

MAX_NAME_LENGTH = 100

logger = structlog.get_logger(__name__)


def keep(picture: IO[bytes]) -> str:
    """Store a picture as an avatar; its name.

    Raises:
        UnsupportedMediaType, TooLarge: it is no picture that can be read, or has too many pixels.
        StorageUnavailable
    """
    made = images.square(picture, SIDE)
    with guarded():
        return storages["avatars"].save(f"avatars/{uuid4().hex}.webp", ContentFile(made))


def url(name: str) -> str | None:
    """Where the avatar of this name is; None for the empty name."""
    return storages["avatars"].url(name) if name else None


def delete(name: str) -> None:
    """Delete an avatar, if it is there. Raises StorageUnavailable."""
    if name:
        with guarded():
            storages["avatars"].delete(name)


def remove(name: str) -> None:
    """Delete an avatar. One that can't be deleted is left: nothing names it any more."""
    try:
        delete(name)
    except StorageUnavailable:
        logger.warning("avatar_left_behind", name=name)
