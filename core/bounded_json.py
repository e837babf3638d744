"""The one JSON parser, for bodies and frames alike: bounded in size, depth and numbers.

RFC 8259 leaves duplicate keys, huge numbers and lone surrogates to the reader; we refuse them, so
that no two readers of the same bytes can disagree about what they say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from core.errors import MAX_ERRORS, FieldError, MalformedJSON, ValidationFailed

MAX_DEPTH = 32
MAX_DIGITS = 64
"""Longest number, in characters. 2**64 has 20 digits; nothing that we store is larger."""

# Takes an unterminated string to the end of the text, and nothing back: linear, whatever the input.
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def loads(text: str) -> Any:
    """Parse one JSON value.

    Raises:
        MalformedJSON: not JSON, a repeated key, `NaN`, a number beyond range, or nesting over 32.
        ValidationFailed: a string holds NUL or a lone surrogate, which no database stores.
    """
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise MalformedJSON(f"Nested deeper than {MAX_DEPTH} levels.")
    try:
        value = _DECODER.decode(text)
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            raise MalformedJSON(f"{error.msg} at character {error.pos}.") from None
        raise MalformedJSON(str(error)) from None
    # Only an escape can bring in what UTF-8 and the grammar keep out.
    if "\\u" in text:
        broken = [
            FieldError(path, "invalid_characters", "NUL and lone surrogates can't be stored.")
            for path in islice(_unstorable(value, ""), MAX_ERRORS)
        ]
        if broken:
            raise ValidationFailed("A string holds NUL or a lone surrogate.", errors=broken)
    return value


def _depth(text: str) -> int:
    deepest = depth = 0
    for mark in re.findall(r"[\[\]{}]", _STRINGS.sub("", text)):
        depth += 1 if mark in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("An object repeats a key.")
    return made


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"A number has more than {MAX_DIGITS} digits.")
    return int(digits)


def _real(digits: str) -> float:
    number = float(digits) if len(digits) <= MAX_DIGITS else float("inf")
    if number in (float("inf"), float("-inf")):
        raise ValueError("A number is out of range.")
    return number


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant
)


def _unstorable(value: Any, path: str) -> Iterator[str]:
    """The dotted path of every string inside `value` that can't be stored; of a bad key, its object's."""
    match value:
        case str():
            if _UNSTORABLE.search(value):
                yield path
        case dict():
            for key, item in value.items():
                # A bad key can't be shown either, so nothing below it is named.
                if _UNSTORABLE.search(key):
                    yield path
                else:
                    yield from _unstorable(item, f"{path}.{key}" if path else key)
        case list():
            for index, item in enumerate(value):
                yield from _unstorable(item, f"{path}.{index}" if path else str(index))
