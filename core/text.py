"""Rules for text that people type: what is cut, what is refused, how names are compared."""

from __future__ import annotations

import re
import unicodedata

# Control characters, the line and paragraph separators, and the marks that turn text around:
# a name with one of them can pretend to be another. Zero-width joiners stay: emoji need them.
NOT_IN_NAMES = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_NOT_IN_NAMES = re.compile(f"[{NOT_IN_NAMES}]")


def has_control_characters(text: str) -> bool:
    """Whether `text` holds what a one-line name must not: controls, separators, direction marks."""
    return _NOT_IN_NAMES.search(text) is not None


def comparison_key(name: str) -> str:
    """The form under which two names are the same: NFKC, case-folded, trimmed (UTS #39's skeleton is stricter)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
