"""Rules for names."""

import pytest

from core.text import comparison_key, has_control_characters


@pytest.mark.parametrize(
    "name", ["Alice", "ALICE", " alice ", "ａｌｉｃｅ", "Ａlice\u3000", "\u00a0alice\t", "𝐀𝐥𝐢𝐜𝐞"]
)
def test_case_width_style_and_outer_blanks_do_not_make_another_name(name):
    assert comparison_key(name) == "alice"


@pytest.mark.parametrize(
    ("one", "other"),
    [("é", "e\u0301"), ("Straße", "STRASSE"), ("ﬃ", "ffi"), ("İ", "i\u0307"), ("Σίσυφος", "ΣΊΣΥΦΟΣ")],
)
def test_spellings_of_one_name(one, other):
    assert comparison_key(one) == comparison_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("alice", "alicé"), ("alice", "al ice"), ("аlice", "alice"), ("a.b", "ab")]
)
def test_other_names_stay_other_names(one, other):
    assert comparison_key(one) != comparison_key(other)


@pytest.mark.parametrize("name", ["Alice", "ﬃ İ ẚ", "½", "Ⅷ", "가", "ΐ", "ǅ", "ſt"])
def test_a_key_is_its_own_key(name):
    assert comparison_key(comparison_key(name)) == comparison_key(name)


@pytest.mark.parametrize(
    "mark",
    [
        "\x00",
        "\t",
        "\n",
        "\r",
        "\x1b",
        "\x7f",
        "\x85",
        "\x9f",
        "\u2028",
        "\u2029",
        "\u202e",
        "\u2066",
        "\u2069",
    ],
)
def test_marks_that_a_one_line_name_must_not_have(mark):
    assert has_control_characters(f"a{mark}b")


@pytest.mark.parametrize("name", ["", "Alice B.", "名前", "שלום", "👩‍🚀", "e\u0301", "\u00a0", "a\u200db"])
def test_marks_that_it_may_have(name):
    assert not has_control_characters(name)
