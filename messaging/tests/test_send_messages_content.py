"""What a message may hold: its text, its file's URL, its id; and which JSON is read at all."""

import json

import pytest

from core.errors import ValidationFailed
from messaging import schemas
from messaging.models import Message

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rooms/kitchen/messages"

ODD_TEXTS = [
    "Hi",
    "  blanks around, kept  ",
    "\n\tlines\r\n",
    "😀" * 4000,
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪",
    "e\u0301 ≠ é, Z͑͗̀a̴l̷g̸o̶, ﬁ",
    "שלום \u202eعربى\u202c",
    "<script>alert(1)</script> &amp; {{ 7*7 }} {% load x %} ${7*7}",
    "'; DROP TABLE messaging_message; -- \\",
    "../../../../etc/passwd %00 %s %n",
    "\x1b[2J\x1b[31mred\x07\x08",
    "\u200d a word with a joiner",
    "\U0010ffff\ufffe",
]
BLANK_TEXTS = ["", " ", "\n\t", "\u00a0\u3000", "\u200b", "\u200d\ufeff", "\x1b\x00"[:1], "\u202e"]

GOOD_URLS = [
    "https://cloudinary.com/file.jpg",
    "https://res.cloudinary.com/demo/image/upload/v1/sample.jpg",
    "https://a-b.c9.cloudinary.com/x",
    "https://cloudinary.com",
    "https://cloudinary.com:443/x?a=b&c=%20#d",
    "https://cloudinary.com?x=https://evil.example",
    "HTTPS://Cloudinary.COM/x",
    "https://cloudinary.com/@user:/photo é.jpg".replace(" ", "%20"),
    "https://cloudinary.com/" + "x" * 2025,
]
BAD_URLS = [
    "",
    " ",
    "x",
    "/file.jpg",
    "//cloudinary.com/x",
    "cloudinary.com/x",
    "https:cloudinary.com/x",
    "https:/cloudinary.com/x",
    "https:///cloudinary.com/x",
    "javascript:alert(1)//cloudinary.com",
    "javascript://cloudinary.com/%0aalert(1)",
    "data:image/png;base64,AAAA",
    "file:///etc/passwd",
    "file://cloudinary.com/etc/passwd",
    "ftp://cloudinary.com/x",
    "http://cloudinary.com/x",
    "wss://cloudinary.com/x",
    "http\u017f://cloudinary.com/x",  # a long s, which folds to s
    "https://127.0.0.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "https://127.1/x",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[::1].cloudinary.com/x",
    "https://evil.example[v1.cloudinary.com]/x",
    "https://localhost/x",
    "https://evil.example/x",
    "https://evil.example/cloudinary.com",
    "https://evil.example?.cloudinary.com",
    "https://evil.example#.cloudinary.com",
    "https://evil.example;.cloudinary.com/x",
    "https://evil.example%2f.cloudinary.com/x",
    "https://evil.example%00.cloudinary.com/x",
    "https://cloudinary.com.evil.example/x",
    "https://evilcloudinary.com/x",
    "https://cloudinary.com./x",
    "https://cloudinary.com%2eevil.example/x",
    "https://.cloudinary.com/x",
    "https://a..cloudinary.com/x",
    "https://user@cloudinary.com/x",
    "https://user:word@cloudinary.com/x",
    "https://@cloudinary.com/x",
    "https://cloudinary.com@evil.example/x",
    "https://cloudinary.com:443@evil.example/x",
    "https://cloudinary.com:80/x",
    "https://cloudinary.com:8443/x",
    "https://cloudinary.com:/x",
    "https://cloudinary.com:443443/x",
    "https://cloudinary.com\\@evil.example/x",
    "https://evil.example\\.cloudinary.com/x",
    "https:\\\\cloudinary.com\\x",
    "https://cloudinary.com/a\\b",
    "https://cloudinary.com/a b",
    "https://cloudinary.com/a\nb",
    "https://cloudinary.com/x\n",
    "https://cloud\ninary.com/x",
    "https://cloudinary.com/a\tb",
    "https://cloud\tinary.com/x",
    "\thttps://cloudinary.com/x",
    " https://cloudinary.com/x",
    "https://cloudinary.com/x ",
    "https://cloudinary.com/\x1b[31m",
    "https://cloudinary.com/\x85",
    "https://cloudinary.com/\u2028",
    "https://cl\u043eudinary.com/x",  # a Cyrillic о
    "https://\u24d2loudinary.com/x",  # a circled c, which IDNA folds to c
    "https://cloudinary\u3002com/x",  # an ideographic full stop, which IDNA folds to a dot
    "https://evil.example\uff0f.cloudinary.com/x",  # a full-width slash
    "https://evil.example\uff3c.cloudinary.com/x",  # a full-width backslash
    "https://\u212aloudinary.com/x",
    "https://é.cloudinary.com/x",
    "https://cloudinary.com/" + "x" * 2026,
]

MALFORMED = {
    "no JSON": "{content: 'Hi'}",
    "a blank": " ",
    "cut off": '{"content": "Hi"',
    "two values": '{"content": "Hi"} {}',
    "33 deep": '{"content": ' + "[" * 32 + "]" * 32 + "}",
    "100,000 deep": "[" * 100_000,
    "a 5,000-digit number": '{"content": ' + "9" * 5000 + "}",
    "NaN": '{"content": NaN}',
    "Infinity": '{"content": -Infinity}',
    "1e999": '{"content": 1e999}',
    "a repeated key": '{"content": "Hi", "content": "Ho"}',
    "a raw newline": '{"content": "a\nb"}',
    "a byte order mark": '\ufeff{"content": "Hi"}',
}


def _problem(answer):
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    return answer.status_code, body["code"], [(error["attr"], error["code"]) for error in body["errors"]]


class TestService:
    @pytest.mark.parametrize("text", ODD_TEXTS)
    def test_text_is_kept_exactly(self, alice, room, say, events_of, text):
        say(alice, text)
        assert schemas.message(Message.objects.get()).content == text
        assert events_of(room.stream)[0]["data"]["content"] == text

    @pytest.mark.parametrize("text", [*BLANK_TEXTS, None])
    def test_what_shows_nothing_needs_a_file(self, alice, room, say, text):
        with pytest.raises(ValidationFailed) as caught:
            say(alice, text)
        assert [(error.attr, error.code) for error in caught.value.errors] == [("content", "blank")]
        assert say(alice, text, file_url="https://cloudinary.com/a.jpg").content == (text or "")

    @pytest.mark.parametrize("character", ["x", "😀", "\u0301"])
    def test_length_is_counted_in_code_points(self, alice, room, say, character):
        assert say(alice, character * 4000).seq == 1
        with pytest.raises(ValidationFailed) as caught:
            say(alice, character * 4001)
        assert [(error.attr, error.code) for error in caught.value.errors] == [("content", "max_length")]

    @pytest.mark.parametrize("url", GOOD_URLS)
    def test_a_url_of_the_file_store_is_kept_exactly(self, alice, room, say, url):
        say(alice, None, file_url=url)
        assert Message.objects.get().file_url == url

    @pytest.mark.parametrize("url", BAD_URLS)
    def test_another_url_is_refused_and_not_repeated(self, alice, room, say, url):
        with pytest.raises(ValidationFailed) as caught:
            say(alice, file_url=url)
        (error,) = caught.value.errors
        assert (error.attr, error.code) == ("file_url", "max_length" if len(url) > 2048 else "invalid")
        assert not Message.objects.exists()

    def test_the_hosts_are_a_setting(self, alice, room, say, settings):
        settings.FILE_URL_HOSTS = ["files.example"]
        assert say(alice, file_url="https://eu.files.example/x").seq == 1
        with pytest.raises(ValidationFailed):
            say(alice, file_url="https://cloudinary.com/x")

    @pytest.mark.parametrize("id_", ["a", "A-Z.0_9:z", "x" * 64])
    def test_an_id_of_the_client_is_kept_exactly(self, alice, room, say, id_):
        say(alice, client_message_id=id_)
        assert Message.objects.get().client_message_id == id_

    @pytest.mark.parametrize("id_", ["", " ", "a b", "a\n", "x" * 65, "é", "a/b", "\u0663", "\uff21"])
    def test_an_odd_id_is_refused(self, alice, room, say, id_):
        with pytest.raises(ValidationFailed) as caught:
            say(alice, client_message_id=id_)
        assert [(error.attr, error.code) for error in caught.value.errors] == [
            ("client_message_id", "invalid")
        ]

    @pytest.mark.parametrize("id_", ["", "x", "1", "0198a1b2000070008000000000000001", "{id}", "x" * 5000])
    @pytest.mark.parametrize("field", ["reply_to", "file_id"])
    def test_what_is_no_uuid_is_refused(self, alice, room, say, field, id_):
        with pytest.raises(ValidationFailed) as caught:
            say(alice, **{field: id_})
        assert [(error.attr, error.code) for error in caught.value.errors] == [(field, "invalid")]

    def test_all_that_is_wrong_is_told_at_once(self, alice, room, say):
        with pytest.raises(ValidationFailed) as caught:
            say(alice, "x" * 4001, file_url="x", reply_to="x", client_message_id="")
        assert [error.attr for error in caught.value.errors] == [
            "content",
            "file_url",
            "client_message_id",
            "reply_to",
        ]


class TestApi:
    @pytest.mark.parametrize("text", ODD_TEXTS)
    def test_text_comes_back_exactly(self, alice, room, client_of, text):
        client = client_of(alice)
        sent = client.post(PATH, {"content": text})
        assert (sent.status_code, sent.json()["content"]) == (201, text)
        assert client.get(PATH).json()["results"][0]["content"] == text

    @pytest.mark.parametrize(
        ("body", "errors"),
        [
            ({}, [("content", "blank")]),
            ({"content": " \n"}, [("content", "blank")]),
            ({"content": "x" * 4001}, [("content", "max_length")]),
            ({"content": 5}, [("content", "invalid")]),
            ({"content": True}, [("content", "invalid")]),
            ({"content": ["secret"]}, [("content", "invalid")]),
            ({"content": "x", "file_url": "secret:x"}, [("file_url", "invalid")]),
            ({"content": "x", "file_url": ""}, [("file_url", "blank")]),
            ({"content": "x", "client_message_id": "a secret"}, [("client_message_id", "invalid")]),
            ({"content": "x", "client_message_id": 7}, [("client_message_id", "invalid")]),
            ({"content": "x", "reply_to": "secret"}, [("reply_to", "invalid")]),
            (["secret"], [("", "invalid")]),
            ("secret", [("", "invalid")]),
            (None, [("", "null")]),
        ],
    )
    def test_an_invalid_body_is_400_and_not_repeated(self, alice, room, client_of, body, errors):
        answer = client_of(alice).generic("POST", PATH, json.dumps(body), "application/json")
        assert _problem(answer) == (400, "validation_error", errors)
        assert b"secret" not in answer.content
        assert not Message.objects.exists()

    @pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
    def test_what_is_not_json_that_we_read_is_400(self, alice, room, client_of, text):
        answer = client_of(alice).generic("POST", PATH, text, "application/json")
        assert _problem(answer) == (400, "malformed_json", [])

    def test_32_levels_are_read(self, alice, room, client_of):
        text = '{"content": ' + "[" * 31 + "]" * 31 + "}"
        answer = client_of(alice).generic("POST", PATH, text, "application/json")
        assert _problem(answer) == (400, "validation_error", [("content", "invalid")])

    @pytest.mark.parametrize("escape", [r"\ud83d", r"\udc00", r"\ude00\ud83d", r"\u0000"])
    def test_what_no_database_stores_is_400(self, alice, room, client_of, escape):
        answer = client_of(alice).generic("POST", PATH, f'{{"content": "a{escape}b"}}', "application/json")
        assert _problem(answer) == (400, "validation_error", [("content", "invalid_characters")])

    def test_a_pair_of_surrogates_is_one_character(self, alice, room, client_of):
        answer = client_of(alice).generic("POST", PATH, r'{"content": "\ud83d\ude00"}', "application/json")
        assert answer.json()["content"] == "😀"

    def test_a_body_over_1_mib_is_413(self, alice, room, client_of):
        text = '{"content": "' + "x" * 2**20 + '"}'
        answer = client_of(alice).generic("POST", PATH, text, "application/json")
        assert _problem(answer) == (413, "too_large", [])

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b'{"content": "Hi"}', "text/plain"),
            (b"content=Hi", "application/x-www-form-urlencoded"),
            (b'{"content": "Hi"}', "application/json; charset=utf-16"),
            (b'{"content": "H\xff"}', "application/json"),
            (b'{"content": "\xed\xa0\x80"}', "application/json"),
            ('{"content": "é"}'.encode("latin-1"), "application/json"),
        ],
    )
    def test_another_type_and_bad_utf_8_are_415(self, alice, room, client_of, body, content_type):
        answer = client_of(alice).generic("POST", PATH, body, content_type)
        assert _problem(answer) == (415, "unsupported_media_type", [])
        assert not Message.objects.exists()
