"""The JSON parser of bodies and frames."""

import time

import msgspec
import pytest

from core import bounded_json
from core.errors import MAX_ERRORS, MalformedJSON, ValidationFailed
from core.problems import problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (' [1, -2.5, 1e3, true, null, "x"] ', [1, -2.5, 1000.0, True, None, "x"]),
        ('{"a": {"b": [1]}}', {"a": {"b": [1]}}),
        ('"\\ud83d\\ude00 \\u00e9"', "😀 é"),
        ('"' + "[{" * 100 + '"', "[{" * 100),  # brackets in a string nest nothing
        ('["\\"", "[[[["]', ['"', "[[[["]),
        ("[" * 32 + "]" * 32, None),
        ("9" * 64, int("9" * 64)),
        ("[]" + " " * 100, []),
        ("[" + "[]," * 100 + "[]]", [[]] * 101),
    ],
)
def test_what_is_read(text, value):
    assert value is None or bounded_json.loads(text) == value
    bounded_json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "nope",
        "{'a': 1}",
        "[1,]",
        '{"a": 1} {}',
        "\ufeff{}",
        '"a\nb"',
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e999",
        "-1e999",
        "[1.0" + "0" * 70 + "]",
        "9" * 65,
        "9" * 5000,
        '{"a": 1, "a": 1}',
        '{"a": {"b": 1, "b": 2}}',
        '{"a": 1, "\\u0061": 2}',
        "[" * 33 + "]" * 33,
        '{"a":' * 33 + "1" + "}" * 33,
        "[" * 500_000,
        '{"a":' * 100_000,
    ],
)
def test_what_is_not_our_json(text):
    with pytest.raises(MalformedJSON) as caught:
        bounded_json.loads(text)
    assert len(caught.value.detail) < 200


@pytest.mark.parametrize(
    ("text", "attr"),
    [
        ('{"content": "a\\u0000b"}', "content"),
        ('{"a": {"b": ["x", "\\ud800"]}}', "a.b.1"),
        ('"\\udfff"', ""),
        ('{"a": {"\\u0000": 1}}', "a"),
        ('{"\\ud800": "\\ud800"}', ""),
        ('{"a": "\\ude00\\ud83d"}', "a"),  # a pair the wrong way around
    ],
)
def test_what_no_database_stores(text, attr):
    with pytest.raises(ValidationFailed) as caught:
        bounded_json.loads(text)
    assert [(rule.attr, rule.code) for rule in caught.value.errors] == [(attr, "invalid_characters")]
    msgspec.json.encode(problem(caught.value, None))  # the answer itself can be written


def test_a_bad_body_is_not_answered_by_a_larger_one():
    with pytest.raises(ValidationFailed) as caught:
        bounded_json.loads("[" + '"\\u0000",' * 10_000 + "1]")
    assert len(caught.value.errors) == MAX_ERRORS


@pytest.mark.parametrize(
    "text",
    [
        "[" * 33 + '"' + '\\"' * 500_000,  # an unterminated string of quotes
        "[" * 33 + '"' + "\\" * 999_999,
        "[" * 33 + '"a",' * 250_000,
        '{"a":[' * 33 + '"' * 1_000_000,
    ],
)
def test_a_megabyte_takes_no_longer_than_its_length(text):
    started = time.process_time()
    with pytest.raises(MalformedJSON):
        bounded_json.loads(text)
    assert time.process_time() - started < 2
