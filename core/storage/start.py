"""Looks, before the server takes its first request, whether files really go where the settings say."""

from __future__ import annotations

from io import BytesIO

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from PIL import Image

from core.errors import UnsupportedMediaType
from core.ids import new_id

logger = structlog.get_logger(__name__)


def check() -> None:
    """Put a small picture into each store, and take it out again.

    A Cloudinary that does not answer is no reason not to start: files will have to wait, messages need not.

    Raises:
        ImproperlyConfigured: with the variable and the cure.
    """
    for store in ("attachments", "avatars"):
        try:
            name = storages[store].save(f"{store}/start-{new_id().hex}.webp", _dot())
            storages[store].delete(name)
        except OSError as error:
            raise ImproperlyConfigured(
                f"No file can be written below MEDIA_ROOT, {settings.MEDIA_ROOT} ({type(error).__name__}). Set it to "
                "a directory that the server may write to, or set CLOUDINARY_URL."
            ) from error
        except _refusals() as error:
            raise ImproperlyConfigured(
                f"Cloudinary does not let us in with CLOUDINARY_URL ({type(error).__name__}). Set it to what the "
                "console of Cloudinary shows, or leave it empty to keep files in MEDIA_ROOT."
            ) from error
        except Exception as error:  # noqa: BLE001 - the library has many ways to say that nobody answers
            logger.warning("storage_does_not_answer", error=type(error).__name__)


def _refusals() -> tuple[type[Exception], ...]:
    """What says that Cloudinary does not let us in. Without an account its library is not even loaded."""
    if not settings.CLOUDINARY:
        return ()
    from cloudinary import exceptions  # noqa: PLC0415

    return exceptions.AuthorizationRequired, exceptions.NotAllowed, exceptions.NotFound, UnsupportedMediaType


def _dot() -> ContentFile[bytes]:
    made = BytesIO()
    Image.new("RGB", (1, 1)).save(made, "WEBP")
    return ContentFile(made.getvalue())
