"""Fields that take JSON's types as they are, and never repeat what they refuse."""

import re

import pytest

from core.serializers import (
    ChoiceField,
    FlagField,
    FutureField,
    IdField,
    NameField,
    StrictSerializer,
    TextField,
    WholeNumberField,
)

UUID = "01a20445-d2d2-7371-bae7-5ddc3d096593"


class Body(StrictSerializer):
    text = TextField(required=False)
    name = NameField(required=False)
    nickname = NameField(required=False, max_length=3, allow_blank=True)
    motto = NameField(required=False, allow_blank=True)
    code = NameField(required=False, min_length=2)
    id = IdField(required=False)
    number = WholeNumberField(required=False)
    choice = ChoiceField(["red", "green"], required=False)
    flag = FlagField(required=False)
    until = FutureField(required=False)


def codes(data):
    body = Body(data=data)
    body.is_valid()
    return {attr: found[0].code for attr, found in body.errors.items()}


@pytest.mark.parametrize(
    "data",
    [
        *(
            {"text": " as it is "},
            {"name": "Ann"},
            {"id": UUID},
            {"number": 5},
            {"number": 5.0},
            {"choice": "red"},
        ),
        *({"flag": False}, {"until": "2999-01-01T00:00:00Z"}, {"until": "2999-01-01T00:00:00.123456-12:30"}),
        {},
    ],
)
def test_what_is_of_the_right_type_passes(data):
    assert codes(data) == {}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"text": 5}, "invalid"),
        ({"text": True}, "invalid"),
        ({"name": "A\u202eB"}, "control_characters"),
        ({"name": "A\nB"}, "control_characters"),
        ({"name": "   "}, "blank"),
        ({"nickname": "Anna"}, "max_length"),
        ({"nickname": "Ann "}, "max_length"),
        ({"nickname": "    "}, "max_length"),
        ({"code": " a "}, "min_length"),
        ({"id": 5}, "invalid"),
        ({"id": "secret"}, "invalid"),
        ({"number": "5"}, "invalid"),
        ({"number": 5.5}, "invalid"),
        ({"number": True}, "invalid"),
        ({"choice": "secret"}, "invalid_choice"),
        ({"flag": "yes"}, "invalid"),
        ({"flag": 1}, "invalid"),
        ({"flag": None}, "null"),
        ({"until": 32472144000}, "invalid"),
        ({"until": "secret"}, "invalid"),
        ({"until": "2999-01-01"}, "invalid"),
        ({"until": "2999-01-01T00:00:00"}, "invalid"),
        ({"until": "2999-13-01T00:00:00Z"}, "invalid"),
        ({"until": "2999-01-01T00:00:00+99:99"}, "invalid"),
        ({"until": "9999-12-31T23:59:59-12:00"}, "overflow"),
        ({"until": "0001-01-01T00:00:00+12:00"}, "overflow"),
        ({"until": "2001-01-01T00:00:00Z"}, "past"),
        ({"secret": 1}, "unknown_field"),
    ],
)
def test_what_is_not_is_named_and_not_repeated(data, code):
    assert codes(data) == dict.fromkeys(data, code)
    body = Body(data=data)
    body.is_valid()
    assert "secret" not in str([str(reason) for found in body.errors.values() for reason in found])


def test_a_text_is_taken_as_it_is_and_a_name_trimmed():
    body = Body(data={"text": " a ", "name": " a "})
    body.is_valid(raise_exception=True)
    assert body.validated_data == {"text": " a ", "name": "a"}


@pytest.mark.parametrize("field", ["name", "motto", "code"])
@pytest.mark.parametrize("text", ["", " ", "a", " a", "a ", "ab", " \ta b\n", "a\nb", "\u202e", "\u202eab"])
def test_a_names_pattern_is_what_is_asked_of_it(field, text):
    fits = re.search(Body().fields[field].pattern, text) is not None
    assert fits is (codes({field: text}) == {})
