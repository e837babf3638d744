"""What a file is, told by its content and never by what its sender says: the list of what is taken at all.

What a browser would run (HTML, SVG, scripts) is on no line of it, so nobody has to recognize that.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from core.text import has_control_characters

HEAD_BYTES = 8192
"""The beginning of a file that is looked at."""

MAX_NAME_LENGTH = 120

EXTENSIONS: dict[str, tuple[str, ...]] = {
    "image/jpeg": ("jpg", "jpeg"),
    "image/png": ("png",),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "video/mp4": ("mp4", "m4v"),
    "video/quicktime": ("mov",),
    "video/webm": ("webm",),
    "audio/mpeg": ("mp3",),
    "audio/mp4": ("m4a", "m4b"),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/webm": ("webm", "weba"),
    "audio/wav": ("wav",),
    "audio/flac": ("flac",),
    "application/pdf": ("pdf",),
    "application/gzip": ("gz", "tgz"),
    "application/zip": ("zip",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("pptx",),
    "application/vnd.oasis.opendocument.text": ("odt",),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods",),
    "application/vnd.oasis.opendocument.presentation": ("odp",),
    "text/plain": ("txt", "md", "csv", "log", "json", "yaml", "yml", "toml", "ini", "srt"),
}
"""The types that are taken, each with the extensions that a file of it may have, the usual one first."""

_OFFICE = {
    extensions[0]: content_type
    for content_type, extensions in EXTENSIONS.items()
    if content_type.startswith("application/vnd.")
}
"""These are ZIP archives; which, the name may say: none of them is run."""


class _Magic(NamedTuple):
    """A type and the bytes, from the first one on, by which it shows."""

    content_type: str
    pattern: re.Pattern[bytes]


def _magic(content_type: str, pattern: bytes) -> _Magic:
    return _Magic(content_type, re.compile(pattern, re.DOTALL))


_MAGIC = (
    _magic("image/jpeg", rb"\xff\xd8\xff"),
    _magic("image/png", rb"\x89PNG\r\n\x1a\n"),
    _magic("image/gif", rb"GIF8[79]a"),
    _magic("image/webp", rb"RIFF....WEBPVP8[ LX]"),
    # ISO/IEC 14496-12 §4.3: the major brand tells HEIF pictures, which few browsers show, from films.
    _magic("audio/mp4", rb"....ftypM4[AB] "),
    _magic("video/mp4", rb"....ftyp(?:iso[m2-9]|mp4[12]|avc1|dash|MSNV|M4V.|f4v )"),
    _magic("video/quicktime", rb"....ftypqt  "),
    # Matroska's own type is no line here. Its first kilobytes name the codecs, V_… of pictures.
    _magic("video/webm", rb"\x1aE\xdf\xa3.{0,64}\x42\x82.{1,2}webm(?=.*V_(?:VP[89]|AV1))"),
    _magic("audio/webm", rb"\x1aE\xdf\xa3.{0,64}\x42\x82.{1,2}webm(?=.*A_(?:OPUS|VORBIS))"),
    _magic("audio/ogg", rb"OggS\x00.{0,96}(?:OpusHead|\x01vorbis|\x7fFLAC|Speex   )"),
    _magic("audio/wav", rb"RIFF....WAVE"),
    _magic("audio/flac", rb"fLaC"),
    # An ID3 tag, or a frame of MPEG layer III whose bit rate is told.
    _magic("audio/mpeg", rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef]"),
    _magic("application/pdf", rb"%PDF-[12]\.\d"),
    _magic("application/zip", rb"PK(?:\x03\x04|\x05\x06)"),
    _magic("application/gzip", rb"\x1f\x8b\x08"),
)

# What no text has. ESC is in logs of terminals.
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")

# Of text that begins so some browser makes a document (the WHATWG's MIME sniffing, §7.1); SVG and XML begin so, too.
_MARKUP = re.compile(r"\ufeff?\s*<")


def content_type_of(head: bytes, name: str) -> str | None:
    """The type of a file that begins with `head`, HEAD_BYTES of it; None if it is none that is taken."""
    for magic in _MAGIC:
        if magic.pattern.match(head):
            if magic.content_type == "application/zip":
                return _OFFICE.get(_extension(name), magic.content_type)
            return magic.content_type
    return "text/plain" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    """Whether it is UTF-8, and no markup."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        # The last character may be cut in two.
        if len(head) < HEAD_BYTES or error.start < len(head) - 3:
            return False
        text = head[: error.start].decode()
    return not (_NOT_IN_TEXT.search(text) or _MARKUP.match(text))


def fitting_name(name: str, content_type: str) -> str:
    """`name` without what leads elsewhere or can't be seen, ending as files of the type do: `a.php` becomes `a.php.jpg`."""
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(one for one in last if not has_control_characters(one))
    seen = " ".join(seen.split()).strip(". ") or "file"
    extension = _extension(seen)
    if extension in EXTENSIONS[content_type]:
        stem = seen[: -len(extension) - 1]
    else:
        stem, extension = seen, EXTENSIONS[content_type][0]
    return f"{stem[:MAX_NAME_LENGTH].rstrip('. ') or 'file'}.{extension}"


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""
