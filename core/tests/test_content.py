"""What a file is by its content, and what it may be called."""

import pytest

from core.content import EXTENSIONS, HEAD_BYTES, MAX_NAME_LENGTH, content_type_of, fitting_name
from tests.files import BEGINNINGS, image

PICTURES = {f"image/{name.lower()}": image(name) for name in ("JPEG", "PNG", "GIF", "WEBP")}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

REFUSED = {
    "html": b"<!DOCTYPE html><html><script>alert(1)</script>",
    "html after blanks": b" \r\n\t<html>",
    "html after a byte order mark": b"\xef\xbb\xbf<script>alert(1)</script>",
    "html after a comment": b"<!-- a --><p onclick=alert(1)>",
    "html in UTF-16": "<html>".encode("utf-16"),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "xml": b'<?xml version="1.0"?><svg/>',
    "php": b"<?php system($_GET[0]); ?>",
    "a program": b"\x7fELF\x02\x01\x01",
    "a Windows program": b"MZ\x90\x00\x03",
    "heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "tiff": b"II*\x00\x08\x00\x00\x00",
    "bmp": b"BM\x9a\x00\x00\x00\x00\x00\x00\x00",
    "matroska": b"\x1aE\xdf\xa3\x93B\x82\x88matroska" + b"\0" * 99 + b"V_VP9",
    "ogg with a film": b"OggS\x00\x02" + b"\0" * 20 + b"\x01*\x80theora",
    "avi": b"RIFF\x24\x00\x00\x00AVI LIST",
    "a NUL in text": b"a\0b",
    "latin-1": "Grüße, alle".encode("latin-1"),
    "a magic number in the wrong place": b" \x89PNG\r\n\x1a\n",
    "nothing that is known": bytes(range(128, 256)),
}


class TestContentType:
    @pytest.mark.parametrize("content_type", [*PICTURES, *BEGINNINGS])
    def test_it_is_what_the_first_bytes_say(self, content_type):
        head = PICTURES.get(content_type) or BEGINNINGS[content_type]
        assert content_type_of(head, "a.html") == content_type

    def test_each_type_that_is_taken_has_a_test(self):
        office = {content_type for content_type in EXTENSIONS if "vnd." in content_type}
        assert PICTURES.keys() | BEGINNINGS.keys() | office == EXTENSIONS.keys()

    @pytest.mark.parametrize("head", REFUSED.values(), ids=REFUSED)
    def test_what_is_on_no_line_is_none_whatever_its_name(self, head):
        for name in ("a.jpg", "a.txt", "a.pdf", "a"):
            assert content_type_of(head, name) is None

    def test_which_office_document_a_zip_is_its_name_says(self):
        head = BEGINNINGS["application/zip"]
        assert content_type_of(head, "a.docx") == content_type_of(head, "A.DOCX") == DOCX
        for name in ("a.zip", "a.jar", "a.docm", "docx", ""):
            assert content_type_of(head, name) == "application/zip"
        assert content_type_of(b"Hi", "a.docx") == "text/plain"

    @pytest.mark.parametrize("cut", [0, 1, 2, 3])
    def test_a_character_that_the_end_of_the_head_cuts_is_text(self, cut):
        text = ("x" * (HEAD_BYTES - cut) + "😀" * 9).encode()
        assert content_type_of(text[:HEAD_BYTES], "") == "text/plain"
        # But not one that the end of the file cuts.
        assert (content_type_of(text[: HEAD_BYTES - 1], "") is None) == (cut > 1)


class TestName:
    @pytest.mark.parametrize(
        ("name", "fitting"),
        [
            ("cat.jpg", "cat.jpg"),
            ("cat.JPEG", "cat.jpeg"),
            ("cat", "cat.jpg"),
            ("a.jpg.php", "a.jpg.php.jpg"),
            ("a.php\0.jpg", "a.php.jpg"),
            ("../../etc/passwd", "passwd.jpg"),
            ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
            ("cat\r\nSet-Cookie: a=b.jpg", "catSet-Cookie: a=b.jpg"),
            ("\u202egpj.exe", "gpj.exe.jpg"),
            ("  two   blanks .jpg", "two blanks.jpg"),
            ("Katze 😀👩‍🚀.jpg", "Katze 😀👩‍🚀.jpg"),
            ("", "file.jpg"),
            ("...", "file.jpg"),
            (".jpg", "jpg.jpg"),
            (".htaccess", "htaccess.jpg"),
            ("/", "file.jpg"),
            ("x" * 500 + ".jpg", "x" * MAX_NAME_LENGTH + ".jpg"),
            ("x" * 500, "x" * MAX_NAME_LENGTH + ".jpg"),
            ("a." + "x" * 500, "a." + "x" * (MAX_NAME_LENGTH - 2) + ".jpg"),
        ],
    )
    def test_it_leads_nowhere_and_ends_as_its_type_does(self, name, fitting):
        assert fitting_name(name, "image/jpeg") == fitting
