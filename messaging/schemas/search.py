"""A message that a search found, and the part of it that was found."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.pagination import Page
from messaging.models.words import places_of
from messaging.schemas.messages import Message

EXCERPT_LENGTH = 200
BEFORE_THE_FIRST = 60
"""Characters of an excerpt before what was found."""


class HighlightPart(msgspec.Struct):
    """Some of the text; `match`: whether it is what was searched for."""

    text: str
    match: bool


class FoundMessage(Message):
    """A message, and an excerpt of its content in parts: to be shown as text, whatever is in them."""

    highlight: list[HighlightPart]


class FoundMessagePage(Page[FoundMessage]):
    pass


def found_message(message: Message, terms: Sequence[str]) -> FoundMessage | None:
    """The message with what was found in it, or None where the terms are not in it any more."""
    places = places_of(terms, message.content)
    if not places:
        return None
    return FoundMessage(**msgspec.structs.asdict(message), highlight=_excerpt(message.content, places))


def _excerpt(content: str, places: Sequence[tuple[int, int]]) -> list[HighlightPart]:
    start = max(0, places[0][0] - BEFORE_THE_FIRST)
    end = min(len(content), start + EXCERPT_LENGTH)
    parts, at = [HighlightPart("…", match=False)] if start else [], start
    for first, last in places:
        if first >= end:
            break
        parts += [
            HighlightPart(content[at:first], match=False),
            HighlightPart(content[first : min(last, end)], match=True),
        ]
        at = min(last, end)
    parts.append(HighlightPart(content[at:end], match=False))
    if end < len(content):
        parts.append(HighlightPart("…", match=False))
    return [part for part in parts if part.text]
