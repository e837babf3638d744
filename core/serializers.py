"""Request bodies and query parameters: strict about keys and types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request

from core.errors import FieldError, InvalidParameter
from core.text import NOT_IN_NAMES, has_control_characters

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII)


class StrictSerializer(serializers.Serializer[Any]):
    """A body whose unknown keys are errors, so that nothing is assigned by accident."""

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        unknown = [key for key in data if key not in self.fields or self.fields[key].read_only]
        if unknown:
            raise serializers.ValidationError(
                {key: [serializers.ErrorDetail("No such key here.", "unknown_field")] for key in unknown}
            )
        return value


@extend_schema_field(OpenApiTypes.BINARY)
class FileField(serializers.FileField):
    """A file of a form; without this an OpenAPI document takes it for a text."""


class FileBody(StrictSerializer):
    """A form with one file."""

    file = FileField()


class TextField(serializers.CharField):
    """A JSON string, taken exactly as it is: not trimmed, never made from a number.

    Args:
        pattern: for the OpenAPI document, what other code asks of the text (ECMA 262).
    """

    def __init__(self, *, pattern: str = "", **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})
        self.pattern = pattern

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class NameField(TextField):
    """A one-line string for people: trimmed, without control or direction characters. `max_length` is that of all of it."""

    default_error_messages = {"control_characters": "Control characters are not allowed here."}

    def __init__(self, **kwargs: Any) -> None:
        inner, end = f"[^{NOT_IN_NAMES}]", rf"[^{NOT_IN_NAMES}\s]"
        texts = (f"({end}({inner}*{end})?)?", f"{end}({inner}*{end})?", f"{end}{inner}*{end}")
        least = kwargs.get("min_length", 0 if kwargs.get("allow_blank") else 1)
        super().__init__(**{"trim_whitespace": True, "pattern": rf"^\s*{texts[min(least, 2)]}\s*$", **kwargs})

    def run_validation(self, data: Any = empty) -> str:
        if isinstance(data, str) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if has_control_characters(text):
            self.fail("control_characters")
        return text


class IdField(serializers.UUIDField):
    """A UUID as a string; DRF's own field takes numbers too, and repeats what it refuses."""

    default_error_messages = {"invalid": "A UUID, as a string."}

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A JSON integer, which 5.0 is too (JSON Schema, validation §6.1.1); DRF's own field takes strings besides."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """A JSON boolean; DRF's own field takes "yes", 1 and more."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class FutureField(serializers.DateTimeField):
    """A moment that is still to come, as RFC 3339 has it; DRF's own field takes dates and moments without a zone, too."""

    default_error_messages = {
        "invalid": "A moment with its zone, as in 2026-11-22T16:37:00Z.",
        "overflow": "A moment with its zone, as in 2026-11-22T16:37:00Z.",
        "past": "This moment is over.",
    }

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            self.fail("invalid")
        moment = super().to_internal_value(value)
        if moment <= timezone.now():
            self.fail("past")
        return moment


class ChoiceField(serializers.ChoiceField):
    """One of the choices; DRF's own field repeats what it refuses."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:
        message = f"One of: {', '.join(choices)}."
        super().__init__(choices, error_messages={"invalid_choice": message}, **kwargs)


def read_body(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated body. Raises DRF's ValidationError, which becomes `validation_error`."""
    return _reader(serializer).run_validation(request.data)


def read_query(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated query parameters.

    Raises:
        InvalidParameter: with one entry in `errors` per odd parameter.
    """
    try:
        return _reader(serializer).run_validation(request.query_params.dict())
    except serializers.ValidationError as error:
        found: Any = error.detail
        raise InvalidParameter(
            errors=[FieldError(name, reasons[0].code, str(reasons[0])) for name, reasons in found.items()]
        ) from None


@cache
def _reader(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    # Reading keeps no state, as in a list, whose items are all read by one. To make the fields takes much longer.
    return serializer()
