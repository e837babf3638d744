"""What all operations have in common, so that a view says only what is its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec
from drf_spectacular import openapi
from drf_spectacular.plumbing import ResolvedComponent, get_doc
from drf_spectacular.utils import OpenApiResponse

from core import throttles
from core.errors import CATALOGUE, FieldError
from core.openapi.examples import REQUEST_ID, example_of
from core.problems import CONTENT_TYPE, Problem, problem
from core.serializers import FileBody

FILE_FORM = {"multipart/form-data": FileBody}
"""The body of what takes a file in."""

_TOKEN = (
    "not_authenticated",
    "token_invalid",
    "token_expired",
    "session_revoked",
    "account_suspended",
    "email_not_verified",
)
_BODY = ("validation_error", "unknown_field", "length_required", "too_large", "unsupported_media_type")
_ALWAYS = ("rate_limited", "unavailable")

_HEADERS = {
    "X-Request-Id": ("Names the request in our logs; the client's own, where it sent one.", "string"),
    "X-RateLimit-Scope": ("What the request counted as.", "string"),
    "X-RateLimit-Limit": ("How many there may be at once.", "integer"),
    "X-RateLimit-Remaining": ("How many of them are left.", "integer"),
    "X-RateLimit-Reset-After": ("Seconds until all of them are there again.", "integer"),
    "Retry-After": ("Seconds until there is room for one more.", "integer"),
    "WWW-Authenticate": ("How to say who asks: `Bearer`.", "string"),
}
_OF_STATUS = {401: "WWW-Authenticate", 429: "Retry-After"}
_EVERYWHERE = [name for name in _HEADERS if name not in _OF_STATUS.values()]


class _Problems(OpenApiResponse):
    """Declared errors of one status."""

    def __init__(self, codes: Iterable[str]) -> None:
        super().__init__(response=Problem)
        self.codes = list(codes)


def problems(*codes: str) -> dict[Any, Any]:
    """Error answers that an operation has of its own, by the codes of the catalogue.

    Not those that all have, or all with a token, a body, query parameters or a thing named in their path.
    """
    statuses = {CATALOGUE[code].status for code in codes}
    return {
        (status, CONTENT_TYPE): _Problems(code for code in codes if CATALOGUE[code].status == status)
        for status in sorted(statuses)
    }


class AutoSchema(openapi.AutoSchema):
    """Documents an operation: what its view declares, the errors and headers that all have, and examples."""

    def get_description(self) -> str:  # type: ignore[override]
        """Of the action only: a class's docstring is for who reads the code."""
        return str(get_doc(getattr(self.view, getattr(self.view, "action", ""), None)))

    def get_request_serializer(self) -> Any:
        """Of a DELETE only what is declared."""
        return None if self.method == "DELETE" else super().get_request_serializer()

    def _get_request_body(self, direction: Any = "request") -> Any:
        read: Any = super()._get_request_body
        if self.method != "DELETE" or self.get_request_serializer() is None:
            return read(direction)
        # The library knows no DELETE with a body, which RFC 9110 §9.3.5 leaves to the server.
        self.method = "POST"
        try:
            return read(direction)
        finally:
            self.method = "DELETE"

    def get_operation(self, *args: Any) -> Any:
        operation = super().get_operation(*args)
        if operation is None:
            return None
        for content in operation.get("requestBody", {}).get("content", {}).values():
            self._add_example(content)
        by_status: dict[int, list[str]] = {}
        for code in sorted({*self._declared(), *self._shared(operation)}, key=list(CATALOGUE).index):
            by_status.setdefault(CATALOGUE[code].status, []).append(code)
        refusals = {str(status): self._refusal(codes) for status, codes in sorted(by_status.items())}
        answers = {
            status: self._with_headers(response)
            for status, response in operation["responses"].items()
            if status not in refusals
        }
        return {**operation, "responses": answers | refusals}

    def _declared(self) -> Iterator[str]:
        declared: Any = self.get_response_serializers()
        for response in declared.values() if isinstance(declared, dict) else ():
            if isinstance(response, _Problems):
                yield from response.codes

    def _shared(self, operation: dict[str, Any]) -> Iterator[str]:
        yield from _ALWAYS
        if {} not in operation.get("security", [{}]):
            yield from _TOKEN
        if "requestBody" in operation:
            yield from _BODY
            if "application/json" in operation["requestBody"]["content"]:
                yield "malformed_json"
        places = {parameter["in"] for parameter in operation.get("parameters", [])}
        if "query" in places:
            yield "invalid_parameter"
        if "path" in places:
            yield "not_found"

    def _refusal(self, codes: list[str]) -> dict[str, Any]:
        """A reference to the answer of these codes: most operations share most of theirs."""
        name = ".".join(codes)
        if CATALOGUE[codes[0]].status == 429:
            scope = throttles.scope_of(self.method, self.view)
            return self._component(
                "responses", f"{name}.{scope}", self._refused(codes, f" (scope `{scope}`)")
            )
        return self._component("responses", name, self._refused(codes))

    def _refused(self, codes: list[str], note: str = "") -> dict[str, Any]:
        component = self.resolve_serializer(cast("Any", Problem), "response")
        component.schema["examples"] = [_example("validation_error")]
        own = _OF_STATUS.get(CATALOGUE[codes[0]].status)
        headers = [*_EVERYWHERE, own] if own else _EVERYWHERE
        return {
            "description": " · ".join(f"`{code}`" for code in codes) + note,
            "headers": {header: self._header(header) for header in headers},
            "content": {
                CONTENT_TYPE: {
                    "schema": component.ref,
                    "examples": {
                        code: self._component("examples", code, {"value": _example(code)}) for code in codes
                    },
                }
            },
        }

    def _with_headers(self, response: dict[str, Any]) -> dict[str, Any]:
        for content in response.get("content", {}).values():
            self._add_example(content)
        headers = response.get("headers", {}) | {name: self._header(name) for name in _EVERYWHERE}
        return {**response, "description": response["description"] or "Done.", "headers": headers}

    def _header(self, name: str) -> dict[str, Any]:
        description, type_ = _HEADERS[name]
        return self._component("headers", name, {"description": description, "schema": {"type": type_}})

    def _add_example(self, content: dict[str, Any]) -> None:
        if "examples" not in content:
            schemas = self.registry.build({})["schemas"]
            content["example"] = example_of(content["schema"], schemas)

    def _component(self, type_: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        component = ResolvedComponent(name=name, type=type_, object=name, schema=schema)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return dict(component.ref)


def _example(code: str) -> Any:
    error = CATALOGUE[code](retry_after=1.5 if code == "rate_limited" else None)
    if code == "validation_error":
        error.errors = [FieldError("content", "max_length", "At most 4000 characters.")]
    elif code == "unknown_field":
        error.errors = [FieldError("color", "unknown_field", "No such key here.")]
    elif code == "invalid_parameter":
        error.errors = [FieldError("limit", "max_value", "At most 100.")]
    return msgspec.to_builtins(problem(error, REQUEST_ID))
