"""What holds every answer of the API against the OpenAPI document, and every frame against the AsyncAPI one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from fnmatch import fnmatch
from functools import cache
from typing import Any

import jsonschema_rs
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from chatproject import socket_document

BASE = "/api/v1/"
PROBLEM = {
    "headers": {},
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class DocumentedClient(APIClient):
    """Fails at a status, a media type or a body that the document does not have."""

    def request(self, **kwargs: Any) -> HttpResponse:
        response = super().request(**kwargs)
        method, path = response.request["REQUEST_METHOD"], response.request["PATH_INFO"]
        if path.startswith(BASE):
            breaches = list(document().breaches(method, path, response))
            assert not breaches, f"{method} {path} answers {response.status_code}: {breaches}"
        return response


class Document:
    """The OpenAPI document, as what it allows."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        _close(root["components"]["schemas"])
        self.paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", template)), operations)
            # `rooms/direct` before `rooms/{room_key}`.
            for template, operations in sorted(root["paths"].items(), key=lambda item: item[0].count("{"))
        ]
        self.validators: dict[str, Draft202012Validator] = {}

    def breaches(self, method: str, path: str, response: HttpResponse) -> Iterator[str]:
        """What of an answer is not as documented."""
        operation = self.operations_at(path.removesuffix("/")).get(method.lower())
        if operation is None:
            if response.status_code < 400:
                yield "an undocumented operation"
            documented = PROBLEM
        else:
            documented = operation["responses"].get(str(response.status_code))
            if documented is None:
                yield "an undocumented status"
                return
            documented = self.resolved(documented)
        yield from (f"no {name}" for name in documented["headers"] if name not in response)
        if documented.get("content"):
            yield from self.wrong_body(documented["content"], response)
        elif not response.streaming and response.content:
            yield "a body where none is documented"

    def wrong_body(self, documented: dict[str, Any], response: HttpResponse) -> Iterator[str]:
        media_type = response.get("Content-Type", "")
        content = next((content for known, content in documented.items() if fnmatch(media_type, known)), None)
        if content is None:
            yield f"{media_type}, not one of {list(documented)}"
        elif media_type.endswith("json"):
            for error in self.validator(content["schema"]).iter_errors(json.loads(response.content)):
                yield f"{error.json_path}: {error.message}"

    def operations_at(self, path: str) -> dict[str, Any]:
        return next((operations for pattern, operations in self.paths if pattern.fullmatch(path)), {})

    def resolved(self, item: dict[str, Any]) -> dict[str, Any]:
        """The item, or what it refers to."""
        if "$ref" not in item:
            return item
        type_, name = item["$ref"].split("/")[-2:]
        return dict(self.root["components"][type_][name])

    def validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        key = str(schema)
        if key not in self.validators:
            self.validators[key] = Draft202012Validator({**schema, "components": self.root["components"]})
        return self.validators[key]


def _close(schemas: dict[str, Any]) -> None:
    """Clients must bear keys that they don't know; but here a key that is not documented is forgotten."""
    for schema in schemas.values():
        if schema.get("properties"):
            schema.setdefault("additionalProperties", False)


def documented(frame: dict[str, Any]) -> dict[str, Any]:
    """The frame that a server sent, if the document has it; else this fails."""
    validator = _frames().get(frame["type"])
    assert validator, f"{frame['type']} is not in the AsyncAPI document"
    breaches = [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(frame)]
    assert not breaches, f"{frame} is not as documented: {breaches}"
    return frame


@cache
def _frames() -> dict[str, jsonschema_rs.Draft202012Validator]:
    """Of each type of frame that servers send."""
    components = deepcopy(socket_document.document()["components"])
    _close(components["schemas"])
    payloads = {
        message["name"]: {**message["payload"], "additionalProperties": False}
        for key, message in components["messages"].items()
        if not key.startswith("ask.")
    }
    return {
        type_: jsonschema_rs.Draft202012Validator(
            {**payload, "components": {"schemas": components["schemas"]}}
        )
        for type_, payload in payloads.items()
    }


@cache
def document() -> Document:
    """Made once: that takes longer than most tests."""
    return Document(SchemaGenerator().get_schema(request=None, public=True))
