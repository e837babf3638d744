"""Pictures: how large one is, and a face made of one. Nothing is decoded before its size is known to be bearable."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import IO

from django.conf import settings
from PIL import ExifTags, Image, ImageOps

from core.errors import ChatError, TooLarge, UnsupportedMediaType

# At twice as many Pillow refuses by itself, before it takes the memory that some formats want at once; below it warns.
Image.MAX_IMAGE_PIXELS = settings.MAX_IMAGE_PIXELS
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")

_decoding = Lock()
"""One picture at a time: decoded it takes a hundred times what its file does."""

_LYING = (5, 6, 7, 8)
"""The orientations of Exif (§4.6.4) in which width is height."""


def size_of(file: IO[bytes]) -> tuple[int, int]:
    """Width and height as it is shown; reads the head of the file only.

    Raises:
        UnsupportedMediaType: no picture of the FORMATS.
        TooLarge: more than MAX_IMAGE_PIXELS.
    """
    with _opened(file) as image:
        # Of other formats Pillow decodes all, to look for what cameras write into JPEG.
        lies = image.format == "JPEG" and image.getexif().get(ExifTags.Base.Orientation) in _LYING
        return (image.height, image.width) if lies else image.size


def square(file: IO[bytes], side: int) -> bytes:
    """The middle of a picture as a square of at most `side` pixels, in WebP; of one that moves, the first frame.

    It is made anew, so that nothing of the file comes along: no place where it was taken, no comment, no archive
    behind it.

    Raises:
        UnsupportedMediaType, TooLarge: as `size_of`.
    """
    with _decoding, _opened(file) as image:
        # JPEG decodes to an eighth as fast as it is read: no smaller, though, than what is asked for.
        image.draft("RGB", (side, side))
        upright = ImageOps.exif_transpose(image)
        has_alpha = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
        picture = upright.convert("RGBA" if has_alpha else "RGB")
        side = min(side, *picture.size)
        fitted = ImageOps.fit(picture, (side, side))
        fitted.info = {}
        made = BytesIO()
        fitted.save(made, "WEBP", quality=85)
    return made.getvalue()


def check_pixels(width: int, height: int) -> None:
    """Raises TooLarge: more than MAX_IMAGE_PIXELS."""
    if width * height > settings.MAX_IMAGE_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> TooLarge:
    return TooLarge(f"A picture has at most {settings.MAX_IMAGE_PIXELS} pixels.")


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[Image.Image]:
    file.seek(0)
    try:
        with Image.open(file, formats=FORMATS) as image:
            check_pixels(*image.size)
            yield image
    except ChatError:
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except Exception:  # noqa: BLE001 - Pillow raises whatever its parsers stumble over
        raise UnsupportedMediaType("This picture can't be read.") from None
    finally:
        file.seek(0)
