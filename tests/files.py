"""Files for tests: of each type that is taken the beginning, and pictures that a phone could have made."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from zlib import crc32

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

GPS = 0x8825
HERE = b"47.3769 N"

BEGINNINGS = {
    "image/gif": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
    "video/mp4": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41",
    "video/quicktime": b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  ",
    "video/webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webmB\x87\x81\x04"
    + b"\0" * 300
    + b"\x86\x85V_VP9",
    "audio/webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webmB\x87\x81\x04"
    + b"\0" * 300
    + b"\x86\x86A_OPUS",
    "audio/mpeg": b"ID3\x04\x00\x00\x00\x00\x00\x00",
    "audio/mp4": b"\x00\x00\x00\x1cftypM4A \x00\x00\x02\x00M4A isomiso2",
    "audio/ogg": b"OggS\x00\x02" + b"\0" * 20 + b"\x01\x13OpusHead\x01\x02",
    "audio/wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "audio/flac": b"fLaC\x00\x00\x00\x22",
    "application/pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "application/gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "application/zip": b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
    "text/plain": "Grüße\n\x1b[31m日本\n".encode(),
}


def image(format_: str = "JPEG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """A picture, red on its left and blue on its right."""
    made = Image.new("RGB", size, "red")
    made.paste("blue", (size[0] // 2, 0, *size))
    file = BytesIO()
    made.save(file, format_, **options)
    return file.getvalue()


def phone_photo(size: tuple[int, int] = (40, 30), orientation: int = 1) -> bytes:
    """A JPEG that knows where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(GPS)[29] = HERE.decode()
    return image(size=size, exif=exif, comment=HERE)


def huge_png(width: int, height: int) -> bytes:
    """A small file that says that it holds so many pixels."""
    whole = bytearray(image("PNG", (1, 1)))
    start = whole.index(b"IHDR")
    whole[start + 4 : start + 12] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    whole[start + 17 : start + 21] = crc32(whole[start : start + 17]).to_bytes(4, "big")
    return bytes(whole)


def huge_webp(width: int, height: int) -> bytes:
    """Likewise."""
    chunks = image("WEBP", (1, 1), lossless=True)[12:]
    canvas = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    whole = b"WEBPVP8X\x0a\0\0\0\x10\0\0\0" + canvas + chunks
    return b"RIFF" + len(whole).to_bytes(4, "little") + whole


def upload(content: bytes, name: str = "file") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def picture() -> SimpleUploadedFile:
    return upload(image(), "picture.jpg")
