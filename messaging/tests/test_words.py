"""What is a word, what a search for it finds, and where."""

import pytest

from messaging.models.words import places_of, terms_of, words_of

FOUND = [
    ("hello", "Hello world!"),
    ("HELLO", "hello world!"),
    ("wor", "Hello world!"),
    ("world hello", "Hello world!"),
    ('"hello world"', "Well, hello,\nWorld!"),
    ("ok", "It is ok."),
    ("a", "such a day"),
    ("q", "quiet"),
    ("don't", "I don\u2019t know"),
    ("e-mail", "by E-Mail"),
    ("bob@example.com", "Write to bob@example.com."),
    ("10", "at 10:30"),
    ("snake case", "snake_case"),
    ("cafe", "Café"),
    ("café", "CAFE"),
    ("cafe\u0301", "café"),
    ("strasse", "Straße"),
    ("istanbul", "İstanbul"),
    ("привет", "ПРИВЕТ, мир"),
    ("дост", "Достопримечательность"),
    ("достопримечательность", "Достопримечательность"),
    ("abc", "ＡＢＣ"),
    ("fine", "ﬁne"),
    ("हिन्दी", "यह हिन्दी है"),
    ("שלום", "שלום לך"),
    ("عربى", "نص عربى"),
    ("日本", "今日は日本語を話す"),
    ("本語", "今日は日本語を話す"),
    ("語", "日本語"),
    ("日本語", "日本語"),
    ("カナ", "ｶﾀｶﾅ"),
    ("学校", "大学校hello"),
    ("校hello", "大学校hello"),
    ("대학", "서울대학교에서"),
    ("ไทย", "ภาษาไทย"),
    ("🎉", "yes🎉🎉"),
    ("🎉 yes", "yes🎉"),
    ("👩‍👩‍👧", "👩‍👩‍👧 family"),
    ("❤", "I ❤️ it"),
    ("🇩🇪", "to 🇩🇪!"),
    ("+hello -world", "hello world"),
    ("hello*", "hello"),
    ('"hello', "hello"),
    ("(hello) <world> ~x @y", "hello world x y"),
    ("x" * 1000, "x" * 1000),
    ("x" * 90, "x" * 1000),
    ("the", "the"),
    ("about", "about"),
]
NOT_FOUND = [
    ("ello", "hello"),
    ("hello there", "hello"),
    ('"world hello"', "hello world"),
    ('"to be"', "to a bee"),
    ("本日", "日本"),
    ("日語", "日本語"),
    ("🎉", "🎈"),
    ("👩‍👧", "👧👩"),
    ("1234", "\u1234"),
    ("ab", "a-b"),
]


class TestWords:
    @pytest.mark.parametrize(("query", "text"), FOUND)
    def test_a_text_is_found_by(self, query, text):
        terms = terms_of(query)
        assert terms
        assert all(term in words_of(text) for term in terms)
        assert places_of(terms, text)

    @pytest.mark.parametrize(("query", "text"), NOT_FOUND)
    def test_and_not_by(self, query, text):
        assert not all(term in words_of(text) for term in terms_of(query))

    @pytest.mark.parametrize("query", ["", " ", "+", ":-)", '""', '"', "«…»", "\u200d\ufe0f", "_%"])
    def test_what_has_no_words_has_no_terms(self, query):
        assert terms_of(query) == []

    @pytest.mark.parametrize("code", [*range(0x250), 0x3042, 0xAC00, 0x1F389, 0x10FFFF, 0xD800])
    def test_words_are_of_letters_that_no_database_takes_for_anything_else(self, code):
        assert set(words_of(chr(code))) <= set(" abcdefghijklmnopqrstuvwxyz0123456789")

    @pytest.mark.parametrize("text", ["ﷺ", "㍿", "日", "🎉", "\U00020000", "日x"], ids=ascii)
    def test_words_take_no_more_room_than_some_letters_for_each_character(self, text):
        assert len(words_of(text * 4000)) <= 4000 * 30
        (term,) = terms_of(text * 1000)
        assert len(term) < 50_000
        assert term in words_of(text * 4000)

    @pytest.mark.parametrize(
        ("query", "text", "marked"),
        [
            ("hel", "Hello, hello", ["Hello", "hello"]),
            ("hello world", "Hello my World", ["Hello", "World"]),
            ('"my world"', "Hello my, World!", ["my, World"]),
            ("本語", "日本語", ["本語"]),
            ("日", "日曜日", ["日", "日"]),
            ("cafe", "cafe\u0301s", ["cafe\u0301s"]),
            ("e", "e\u0301", ["e\u0301"]),
            ("👩‍👩‍👧", "x👩‍👩‍👧y", ["👩‍👩‍👧"]),
            ("🎉", "🎉🎉", ["🎉🎉"]),
            ("株式", "㍿", ["㍿"]),
            ("<b>", "<b>bold</b>", ["b", "bold", "b"]),
        ],
    )
    def test_the_place_is_that_of_the_whole_word(self, query, text, marked):
        assert [text[start:end] for start, end in places_of(terms_of(query), text)] == marked
