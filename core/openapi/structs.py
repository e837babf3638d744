"""Teaches drf-spectacular our msgspec structs, so that a response is declared once; and that bodies are strict."""

from __future__ import annotations

from typing import Any

import msgspec
from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from core.pagination import Page

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


class StrictExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A body whose unknown keys are refused."""

    target_class = "core.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        # As the library's documentation has it.
        mapped: Any = auto_schema._map_serializer  # noqa: SLF001
        schema = mapped(self.target, direction, bypass_extensions=True)
        if not type(self.target).__doc__:
            schema.pop("description", None)  # the one of the class that it inherits from
        return {**schema, "additionalProperties": False}


class TextExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A text with the pattern that it has to fit."""

    target_class = "core.serializers.TextField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        mapped: Any = auto_schema._map_serializer_field  # noqa: SLF001
        schema = mapped(self.target, direction, bypass_extensions=True)
        if isinstance(schema["type"], list):
            schema["type"] = schema["type"][0]  # the library adds null once more
        return {**schema, "pattern": self.target.pattern} if self.target.pattern else schema


def _name(target: Any) -> str:
    (reference,), _ = msgspec.json.schema_components([target], ref_template=_REF)
    return str(reference["$ref"]).rsplit("/", 1)[-1]


def _required(schema: dict[str, Any]) -> dict[str, Any]:
    """Keys are always there in an answer, those with a default too."""
    properties = schema.get("properties", {})
    for value in properties.values():
        value.pop("default", None)
    return {**schema, "required": sorted(properties)}
