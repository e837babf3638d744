"""What a message is found by: its words, in ASCII, so that every database compares and splits them alike.

    "Café in 東京 🎉"  →  " zzcafe zzin zzq6771q4eac zzq4eac zzqx1f389"

Each word begins with a blank and `zz`, so that a search for its beginning is one for a part of the text, and a search
for several words in a row is one as well. Without the `zz` MySQL's full-text index would leave out words of one or two letters
and those that it takes for too common.

- Case, accents and compatibility forms don't count: `É`, `e` and a full-width `Ｅ` are one letter.
- Scripts that put no blanks between words (Chinese, Japanese, Thai, …, and Korean, which puts few) are written as
  overlapping pairs of characters, so that any part of a text is found, from one character on.
- An emoji or another symbol is a word of its own. Punctuation only parts words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

_LONGEST = 80
"""Letters of a word that count; MySQL's full-text index leaves out what is longer than 84."""

_FEWEST = 1000
"""Words of a text that count in any case. More than it has characters do not: there are characters that stand for four
words each, and neither what a message takes on the disk nor a pattern (SQLite's is of 50,000 bytes) may grow by that."""

_MOST_KNOWN = 50_000
"""Characters whose spelling is kept; who sends all that there are shall not fill the memory."""

_PAIRED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
)
# Combining accents, and what joins, directs or chooses the look of other characters.
_UNSEEN = re.compile("[\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f\U000e0000-\U000e01ef]")
_RUN = re.compile(r"[a-z0-9]+|(?:<\w+>)+")
_PLACE = re.compile(r"[a-z0-9]+|<\w+>")
_HALF = re.compile(r"<(\w+)>")
_QUOTED_OR_NOT = re.compile(r'"([^"]*)"|(\S+)')


def words_of(text: str) -> str:
    """The text's words, in order, as they are stored and searched for."""
    words = _split(text.translate(_SPELLED))
    return "".join(f" zz{word}" for word in words[: max(_FEWEST, len(text))])


def terms_of(query: str) -> list[str]:
    """What the words of a text that `query` finds contain, each of these: one for each word, or quoted phrase.

    Punctuation means nothing but the quotes of a phrase, so a query of nothing else has no terms.
    """
    pieces = (quoted or word for quoted, word in _QUOTED_OR_NOT.findall(query))
    return [term for term in dict.fromkeys(map(words_of, pieces)) if term]


def places_of(terms: Iterable[str], text: str) -> list[tuple[int, int]]:
    """Where the terms are in `text`, from and to which character, in order and without overlap."""
    spelling = [_SPELLED[ord(character)] for character in text]
    spelled = "".join(spelling)
    # The character that each letter of the spelling comes from.
    origins = [place for place, letters in enumerate(spelling) for _ in letters]
    spans = []
    for run in _PLACE.finditer(spelled):
        start, end = origins[run.start()], origins[run.end() - 1] + 1
        while end < len(text) and not spelling[end]:  # an accent, or what joins two emoji
            end += 1
        spans.append((start, end))
    words, begins = "", {}
    for number, word in enumerate(_split(spelled)):
        begins[len(words)] = number
        words += f" zz{word}"
    found: list[tuple[int, int]] = []
    for term in terms:
        place = words.find(term)
        while place >= 0:
            first = begins[place]
            found.append((spans[first][0], spans[first + term.count(" ") - 1][1]))
            place = words.find(term, place + 1)
    return _merged(found)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _split(spelled: str) -> list[str]:
    words = []
    for run in _RUN.findall(spelled):
        if run[0] == "<":
            halves = _HALF.findall(run)
            words += [one + other for one, other in zip(halves, [*halves[1:], ""], strict=True)]
        else:
            words.append(run[:_LONGEST])
    return words


class _Spelling(dict[int, str]):
    """How each character is spelled: letters and digits, a pair's half in brackets, a blank for what parts words.

    `q` begins the number of a character that is not ASCII; an ASCII `q` is two of them. So the beginning of a word
    is always spelled like the beginning of its spelling.
    """

    def __missing__(self, code: int) -> str:
        spelled = "".join(self._spelled(character) for character in _folded(chr(code)))
        if len(self) < _MOST_KNOWN:
            self[code] = spelled
        return spelled

    @staticmethod
    def _spelled(character: str) -> str:
        if character.isascii():
            letter = character if character.isalnum() else " "
            return "qq" if letter == "q" else letter
        code = ord(character)
        number = f"q{code:04x}" if code < 0x10000 else f"qx{code:05x}"
        if _PAIRED.match(character):
            return f"<{number}>"
        match unicodedata.category(character)[0]:
            case "L" | "N" | "M":
                return number
            case "S":
                return f" {number} "
        return " "


def _folded(character: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    kept = "".join(c for c in folded if not _UNSEEN.match(c) and unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", kept)


_SPELLED = _Spelling()


class WordsField(models.TextField):
    """The words of the row's `content`. Nobody sets it: it is made whenever the row is written."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001 - Django's
        words = words_of(model_instance.content)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, words)
        return words

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "ascii_bin"
        return parameters


@WordsField.register_lookup
class Indexed(models.Lookup):
    """Whether a word is there, or with `*` the beginning of one, by MySQL's full-text index."""

    lookup_name = "indexed"

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        column, _ = self.process_lhs(compiler, connection)
        return f"MATCH ({column}) AGAINST (%s IN BOOLEAN MODE)", (f"+{self.rhs}",)
