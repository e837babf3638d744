"""Files as answers: whole, a part of one (RFC 9110 §14), or word that it hasn't changed."""

from __future__ import annotations

import re
from typing import IO

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.request import Request

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class _Part:
    """The next `length` bytes of a file."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file, self._left = file, length

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(part)
        return part

    def close(self) -> None:
        self._file.close()


def deliver(
    request: Request | HttpRequest,
    file: IO[bytes],
    *,
    size: int,
    content_type: str,
    name: str,
    etag: str,
    inline: bool,
    caching: str,
) -> HttpResponseBase:
    """Answer with a file, or with the part that `Range` names; several parts of one are answered with all of it.

    No browser makes of it what it is not, or runs what is in it, wherever it shows it.
    """
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": caching,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        file.close()
        return HttpResponse(status=304, content_type=content_type, headers=headers)
    start, end = _wanted(request, size, etag)
    if start >= size:
        file.close()
        headers["Content-Range"] = f"bytes */{size}"
        return HttpResponse(status=416, content_type=content_type, headers=headers)
    is_part = (start, end) != (0, size - 1)
    if is_part:
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    file.seek(start)
    response = FileResponse(
        _Part(file, end - start + 1),
        as_attachment=not inline,
        filename=name,
        content_type=content_type,
        status=206 if is_part else 200,
        headers=headers,
    )
    response["Content-Length"] = str(end - start + 1)
    return response


def _wanted(request: Request | HttpRequest, size: int, etag: str) -> tuple[int, int]:
    """The first and the last byte that are asked for; all of them if what is asked is odd, or of another file."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if not match or request.headers.get("If-Range", etag) != etag:
        return 0, size - 1
    first, last = match.groups()
    if first:
        end = min(int(last), size - 1) if last else size - 1
        return (int(first), end) if end >= int(first) or int(first) >= size else (0, size - 1)
    # The last so many.
    return (max(0, size - int(last)), size - 1) if last and int(last) else (0, size - 1)
