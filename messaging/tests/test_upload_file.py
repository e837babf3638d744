"""POST /uploads: what is taken in, as what, and under which name."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile

from core.errors import NotFound, StorageUnavailable, TooLarge, UnsupportedMediaType, ValidationFailed
from core.storage import attachments
from core.tests.test_content import PICTURES, REFUSED
from messaging import services
from messaging.models import File
from tests.files import BEGINNINGS, HERE, huge_png, image, phone_photo, upload

pytestmark = pytest.mark.django_db

URL = "/api/v1/uploads"


def kept(settings, file):
    return Path(settings.MEDIA_ROOT, file.stored_as).read_bytes()


def problem(answer):
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    return answer.status_code, body["code"], [(error["attr"], error["code"]) for error in body["errors"]]


class TestService:
    def test_it_is_kept_as_it_is(self, alice, settings):
        photo = phone_photo()
        file = services.upload_file(alice, file=upload(photo, "cat.jpg"))
        assert kept(settings, file) == photo
        assert HERE in photo

    def test_nobody_else_on_the_machine_may_read_it(self, alice, settings):
        file = services.upload_file(alice, file=upload(b"Hi"))
        path = Path(settings.MEDIA_ROOT, file.stored_as)
        assert path.stat().st_mode & 0o777 == 0o600

    def test_a_large_one_is_moved_from_where_it_was_spooled(self, alice, settings):
        large = TemporaryUploadedFile("a.txt", "text/plain", 5, None)
        large.write(b"Hello")
        large.seek(0)
        file = services.upload_file(alice, file=large)
        assert kept(settings, file) == b"Hello"
        assert not Path(large.temporary_file_path()).exists()
        large.close()

    @pytest.mark.parametrize("content_type", [*PICTURES, *BEGINNINGS])
    def test_its_type_is_that_of_its_content(self, alice, content_type):
        content = PICTURES.get(content_type) or BEGINNINGS[content_type]
        if content_type == "image/gif":
            content = PICTURES[content_type]
        file = services.upload_file(alice, file=upload(content, "page.html"))
        assert (file.content_type, file.size) == (content_type, len(content))
        assert (file.width, file.height) == ((40, 30) if content_type in PICTURES else (None, None))

    @pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
    def test_what_is_not_taken_leaves_nothing(self, alice, content):
        with pytest.raises(UnsupportedMediaType):
            services.upload_file(alice, file=upload(content, "cat.jpg"))
        assert not File.objects.exists()

    def test_a_picture_that_is_broken_and_one_too_large_leave_nothing(self, alice):
        with pytest.raises(UnsupportedMediaType):
            services.upload_file(alice, file=upload(b"\xff\xd8\xff" + b"\0" * 50))
        with pytest.raises(TooLarge):
            services.upload_file(alice, file=upload(huge_png(20_000, 20_000)))
        assert not File.objects.exists()

    def test_the_size_is_a_setting(self, alice, settings):
        settings.MAX_UPLOAD_BYTES = 1024
        assert services.upload_file(alice, file=upload(b"x" * 1024)).size == 1024
        with pytest.raises(TooLarge):
            services.upload_file(alice, file=upload(b"x" * 1025))

    def test_an_empty_one_is_refused(self, alice):
        with pytest.raises(ValidationFailed) as raised:
            services.upload_file(alice, file=upload(b""))
        assert [(error.attr, error.code) for error in raised.value.errors] == [("file", "empty")]

    def test_a_store_that_fails_leaves_a_row_to_collect_which_nobody_can_send(
        self, alice, settings, tmp_path
    ):
        settings.MEDIA_ROOT = str(tmp_path / "a file")
        Path(settings.MEDIA_ROOT).touch()
        with pytest.raises(StorageUnavailable):
            services.upload_file(alice, file=upload(b"Hi"))
        assert File.objects.get().completed_at is None

    def test_one_that_was_collected_while_it_came_is_not_there(self, alice, monkeypatch):
        monkeypatch.setattr(attachments, "keep", lambda *_: File.objects.all().delete())
        with pytest.raises(NotFound):
            services.upload_file(alice, file=upload(b"Hi"))


class TestApi:
    def test_the_file_comes_back(self, alice, client_of):
        content = image(size=(400, 300))
        answer = client_of(alice).post(URL, {"file": upload(content, "cat.jpg")}, format="multipart")
        assert answer.status_code == 201
        body = answer.json()
        assert body == {
            "id": str(File.objects.get().id),
            "url": f"/api/v1/files/{body['id']}/content",
            "name": "cat.jpg",
            "content_type": "image/jpeg",
            "size": len(content),
            "width": 400,
            "height": 300,
            "duration": None,
            "thumbnail_url": None,
        }

    @pytest.mark.parametrize(
        ("name", "stored"),
        [
            ("a.jpg.php", "a.jpg.php.txt"),
            ("../../../etc/passwd", "passwd.txt"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("a\x00b.txt", "ab.txt"),
            ("a\x1b[31m.txt", "a[31m.txt"),
            ("x" * 400 + ".txt", "x" * 120 + ".txt"),
            ("<script>.svg", "<script>.svg.txt"),
        ],
    )
    def test_a_name_is_made_harmless(self, alice, client_of, name, stored):
        file = upload(b"Hi")
        file._name = name
        answer = client_of(alice).post(URL, {"file": file}, format="multipart")
        assert (answer.status_code, answer.json()["name"]) == (201, stored)

    def test_what_the_sender_calls_it_is_no_matter(self, alice, client_of):
        file = upload(b"<html>", "cat.jpg")
        file.content_type = "image/jpeg"
        answer = client_of(alice).post(URL, {"file": file}, format="multipart")
        assert problem(answer) == (415, "unsupported_media_type", [])
        assert b"html" not in answer.content

    @pytest.mark.parametrize(
        ("form", "status", "code", "errors"),
        [
            ({}, 400, "validation_error", [("file", "required")]),
            ({"file": "text"}, 400, "validation_error", [("file", "invalid")]),
            ({"file": upload(b"")}, 400, "validation_error", [("file", "empty")]),
            ({"picture": upload(b"Hi")}, 400, "validation_error", [("file", "required")]),
            (
                {"file": upload(b"Hi"), "uploader": "bob"},
                400,
                "unknown_field",
                [("uploader", "unknown_field")],
            ),
            ({"file": upload(REFUSED["svg"], "a.png")}, 415, "unsupported_media_type", []),
            ({"file": upload(huge_png(20_000, 20_000), "a.png")}, 413, "too_large", []),
        ],
        ids=["nothing", "text", "empty", "another name", "another key", "svg", "huge"],
    )
    def test_an_odd_form_is_refused(self, alice, client_of, form, status, code, errors):
        for value in form.values():
            if hasattr(value, "seek"):
                value.seek(0)
        answer = client_of(alice).post(URL, form, format="multipart")
        assert problem(answer) == (status, code, errors)
        assert not File.objects.exists()

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            (b"{}", "application/json", 415),
            (b"Hi", "text/plain", 415),
            (b"file=Hi", "application/x-www-form-urlencoded", 415),
            (b"Hi", "multipart/form-data", 400),
            (b"Hi", "multipart/form-data; boundary=x", 400),
            (
                b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nHi',
                "multipart/form-data; boundary=x",
                400,
            ),
            (b"--x\r\n" * 3, "multipart/form-data; boundary=" + "x" * 300, 400),
            (
                b'--x\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n!\r\n--x--',
                "multipart/form-data; boundary=x",
                400,
            ),
            (
                b"".join(
                    b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % n for n in range(1200)
                )
                + b"--x--",
                "multipart/form-data; boundary=x",
                400,
            ),
        ],
        ids=[
            "json",
            "text",
            "urlencoded",
            "no boundary",
            "no form",
            "no end",
            "long boundary",
            "bad base64",
            "fields",
        ],
    )
    def test_what_is_no_form_is_refused(self, alice, client_of, body, content_type, status):
        answer = client_of(alice).generic("POST", URL, body, content_type)
        assert problem(answer)[0] == status
        assert not File.objects.exists()

    def test_a_body_over_the_limit_is_413_by_its_announced_length(self, alice, client_of, settings):
        settings.MAX_UPLOAD_BYTES = 1024
        client = client_of(alice)
        answer = client.post(URL, {"file": upload(b"x" * 1025)}, format="multipart")
        assert problem(answer) == (413, "too_large", [])
        answer = client.generic("POST", f"{URL}/", b"", "multipart/form-data", CONTENT_LENGTH=str(2**20))
        assert problem(answer) == (413, "too_large", [])

    def test_other_paths_keep_their_limit(self, alice, client_of):
        body = b'{"content": "' + b"x" * 2**20 + b'"}'
        for path in ("/api/v1/rooms/kitchen/messages", f"{URL}/signature"):
            answer = client_of(alice).generic("POST", path, body, "application/json")
            assert problem(answer)[:2] == (413, "too_large")

    def test_a_body_without_a_length_is_411(self, alice, client_of):
        answer = client_of(alice).generic(
            "POST", URL, b"", "multipart/form-data; boundary=x", HTTP_TRANSFER_ENCODING="chunked"
        )
        assert problem(answer) == (411, "length_required", [])

    def test_anonymous_gets_401(self, anonymous):
        answer = anonymous.post(URL, {"file": upload(b"Hi")}, format="multipart")
        assert problem(answer) == (401, "not_authenticated", [])
        assert not File.objects.exists()

    def test_a_store_that_fails_is_502(self, alice, client_of, settings, tmp_path):
        settings.MEDIA_ROOT = str(tmp_path / "a file")
        Path(settings.MEDIA_ROOT).touch()
        answer = client_of(alice).post(URL, {"file": upload(b"Hi")}, format="multipart")
        assert problem(answer) == (502, "storage_unavailable", [])
        assert answer.json()["retryable"] is True
        assert settings.MEDIA_ROOT not in answer.content.decode()

    def test_three_queries_do_it(self, alice, client_of, django_assert_num_queries):
        client = client_of(alice)
        with django_assert_num_queries(3):  # the session, the row before the store is asked, and after it
            client.post(URL, {"file": upload(b"Hi")}, format="multipart")
