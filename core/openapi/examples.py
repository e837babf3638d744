"""Examples of bodies, made from their schemas: a key of the same name has the same value everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

REQUEST_ID = "01a2171c-5d2e-7c11-9c0d-4f6e8a1b2c3d"

ID = "01a20445-d2d2-7371-bae7-5ddc3d096593"
_TIME = "2026-11-22T16:37:00.123Z"
_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwMWEyMDQ0NSJ9.q1w2e3r4t5y6"  # noqa: S105 - nobody's
_VALUES: dict[str, Any] = {
    "access": _TOKEN,
    "bio": "Tea, not coffee.",
    "client_message_id": "c0ffee-1",
    "code": "not_found",
    "content": "Hello world!",
    "cursors": {f"user:{ID}": 12, f"room:{ID}": 57},
    "content_type": "image/jpeg",
    "device_name": "Alice's phone",
    "display_name": "Alice",
    "download_url": f"/api/v1/files/{ID}/content?signature=WyIwMWEyMDQ0NSJd:1vOnVY:q1w2e3r4t5y6",
    "email": "alice@example.com",
    "emoji": "\N{THUMBS UP SIGN}",
    "excerpt": "Shall we cook?",
    "expires_in": 900,
    "file_url": "https://res.cloudinary.com/demo/image/upload/sample.jpg",
    "filename": "photo.jpg",
    "height": 900,
    "ip": "192.0.2.1",
    "last_read_seq": 41,
    "last_delivered_seq": 42,
    "last_seq": 42,
    "login": "alice",
    "message": "It's me, from the kitchen.",
    "name": "Kitchen",
    "new_password": "correct-horse-battery",
    "old_password": "alice-demo-2026",
    "password": "alice-demo-2026",
    "reason": "Spam.",
    "refresh": _TOKEN,
    "seq": 42,
    "size": 48_213,
    "slug": "kitchen",
    "streams": {f"user:{ID}": 12, f"room:{ID}": 57},
    "ticket": "3vOnVYbXg6Vm0y2hRk0eFvTq6kUu0m8v1m3d9Jb2c4A",
    "token": _TOKEN,
    "topic": "What is for dinner?",
    "upload_url": "https://api.cloudinary.com/v1_1/demo/image/upload",
    "url": f"/api/v1/files/{ID}/content",
    "user_agent": "Mozilla/5.0",
    "username": "alice",
    "width": 1200,
}
"""By the name of the key, where its schema has no better one."""

_FORMATS = {
    "uuid": ID,
    "date-time": _TIME,
    "email": _VALUES["email"],
    "uri": _VALUES["file_url"],
    "binary": "(the file)",
}

_EMPTY = {
    "avatar_url",
    "deleted_at",
    "deleted_by",
    "duration",
    "edited_at",
    "file",
    "file_id",
    "last_message",
    "muted_until",
    "next_cursor",
    "peer",
    "pinned_at",
    "previous_cursor",
    "suspension",
    "thumbnail_url",
}
"""Keys that are null more often than not."""


def example_of(schema: Schema, components: Mapping[str, Schema], name: str = "") -> Any:
    """A value that `schema` allows; references are looked up in `components`, by their last part."""
    match schema:
        case {"$ref": reference}:
            return example_of(components[reference.rsplit("/", 1)[-1]], components, name)
        case {"allOf": [one, *_]}:
            return example_of(one, components, name)
        case {"anyOf": choices} | {"oneOf": choices}:
            nullable = any(choice.get("type") == "null" for choice in choices)
            if nullable and name in _EMPTY:
                return None
            return example_of(next(c for c in choices if c.get("type") != "null"), components, name)
        case {"enum": [first, *others]}:
            return first if first or not others else others[0]
        case {"const": value} | {"examples": [value, *_]}:
            return value
    types = schema.get("type", "object")
    types = types if isinstance(types, list) else [types]
    if "null" in types and name in _EMPTY:
        return None
    return _plain(next(type_ for type_ in types if type_ != "null"), schema, components, name)


def _plain(type_: str, schema: Schema, components: Mapping[str, Schema], name: str) -> Any:
    match type_:
        case "object" if "properties" in schema:
            return {key: example_of(inner, components, key) for key, inner in schema["properties"].items()}
        case "object" if isinstance(inner := schema.get("additionalProperties"), dict) and "$ref" in inner:
            return {f"room:{ID}": example_of(inner, components, name)}
        case "object":
            return _VALUES.get(name, {})
        case "array" if schema.get("items"):
            return [example_of(schema["items"], components, name)]
        case "array":
            return []
        case "integer" | "number":
            return _VALUES.get(name, max(1, schema.get("minimum", 1)))
        case "boolean":
            return False
    return _text(schema, name)


def _text(schema: Schema, name: str) -> str:
    known = _VALUES.get(name)
    if isinstance(known, str):
        return known
    if name.endswith("_id") or name in ("reply_to", "by"):
        return ID
    return _FORMATS.get(schema.get("format", ""), name.replace("_", " ").capitalize() or "Text")
