"""Reads request bodies: with the one JSON parser, and files with Django's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

from core import bounded_json
from core.errors import TooLarge, UnsupportedMediaType, ValidationFailed


class BoundedJSONParser(BaseParser):
    """JSON in UTF-8 (RFC 8259 §8.1). The size is bounded before, in `core.middleware`."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        charset = (parser_context or {}).get("encoding") or "utf-8"
        if charset.lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType
        try:
            text = stream.read().decode("utf-8")
        except UnicodeDecodeError:
            raise UnsupportedMediaType("The body is not UTF-8.") from None
        return bounded_json.loads(text)


class FileParser(MultiPartParser):
    """multipart/form-data (RFC 7578); files go to the disk above a size."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RequestDataTooBig:
            raise TooLarge("What stands beside the file is too much.") from None
        except (ParseError, SuspiciousOperation):
            raise ValidationFailed("This is no multipart/form-data that can be read.") from None
