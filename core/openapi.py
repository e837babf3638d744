"""Teaches drf-spectacular our msgspec structs, so that a response is declared once."""

from __future__ import annotations

from typing import Any

import msgspec
from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from core.errors import CATALOGUE
from core.pagination import Page
from core.problems import CONTENT_TYPE, Problem
from core.serializers import FileBody

_REF = "#/components/schemas/{name}"

# A page is one object; without this an action named `list` is documented as an array of pages.
set_override(Page, "many", False)


class StructExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A msgspec struct as a response schema; nested structs become components of their own."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: str) -> str:
        return _name(self.target)

    def get_identity(self, auto_schema: AutoSchema, direction: str) -> str:
        """The name, as for structs that were met inside others: one struct, one component."""
        return _name(self.target)

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        (_,), components = msgspec.json.schema_components([self.target], ref_template=_REF)
        own = _name(self.target)
        for name, schema in components.items():
            if name != own:
                component = ResolvedComponent(  # type: ignore[no-untyped-call]
                    name=name, type=ResolvedComponent.SCHEMA, object=name, schema=_required(schema)
                )
                if component not in auto_schema.registry:
                    auto_schema.registry.register_on_missing(component)
        return _required(components[own])


def _name(target: Any) -> str:
    (reference,), _ = msgspec.json.schema_components([target], ref_template=_REF)
    return str(reference["$ref"]).rsplit("/", 1)[-1]


def _required(schema: dict[str, Any]) -> dict[str, Any]:
    """Keys are always there in an answer, those with a default too."""
    properties = schema.get("properties", {})
    for value in properties.values():
        value.pop("default", None)
    return {**schema, "required": sorted(properties)}


FILE_FORM: dict[str, Any] = {
    "request": {"multipart/form-data": FileBody},
    "examples": [
        OpenApiExample("A file", {"file": "its bytes"}, request_only=True, media_type="multipart/form-data")
    ],
}
"""What is read by what takes a file in."""

FILE_REFUSALS = (
    "validation_error",
    "unknown_field",
    "length_required",
    "too_large",
    "unsupported_media_type",
    "storage_unavailable",
)
"""Codes of what takes a file in."""


def problems(*codes: str) -> dict[Any, Any]:
    """Documented error answers of an operation, by the codes of the catalogue."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(CATALOGUE[code].status, []).append(code)
    return {
        (status, CONTENT_TYPE): _described(" · ".join(f"`{code}`" for code in found))
        for status, found in by_status.items()
    }


def _described(description: str) -> Any:
    return OpenApiResponse(response=Problem, description=description)
