"""Request bodies and query parameters: strict about keys and types."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from core.errors import FieldError, InvalidParameter
from core.text import has_control_characters


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
    """A JSON string, taken exactly as it is: not trimmed, never made from a number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class NameField(TextField):
    """A one-line string for people: trimmed, without control or direction characters."""

    default_error_messages = {"control_characters": "Control characters are not allowed here."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": True, **kwargs})

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
    """A JSON integer; DRF's own field takes strings and 5.0, too."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


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
