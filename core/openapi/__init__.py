"""The OpenAPI document: our structs, what every operation shares, and examples of everything."""

from core.openapi.operations import FILE_FORM, AutoSchema, problems
from core.openapi.structs import StructExtension

__all__ = ["FILE_FORM", "AutoSchema", "StructExtension", "problems"]
