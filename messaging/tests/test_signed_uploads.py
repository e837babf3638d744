"""POST /uploads/signature and /uploads/{id}/complete: a client brings a file to the store by itself."""

import uuid
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from chatproject import file_stores
from core.errors import NotFound, TooLarge, UnsupportedMediaType, ValidationFailed
from messaging import services
from messaging.models import File
from tests.files import BEGINNINGS, huge_png, image

pytestmark = pytest.mark.django_db

URL = "/api/v1/uploads/signature"
CAT = {"filename": "cat.jpg", "content_type": "image/jpeg", "size": len(image())}


def invite(user, **change):
    return services.invite_upload(user, **{**CAT, **change})


def bring(upload, content, **change):
    """As a browser does: the fields, and the file behind them."""
    return httpx.post(
        upload.invitation.url,
        data=upload.invitation.fields | change,
        files={"file": ("x", content)},
        timeout=10,
    )


def complete(user, upload):
    return services.complete_upload(user, upload_id=upload.file.id)


def broken_rules(user, upload):
    with pytest.raises(ValidationFailed) as raised:
        complete(user, upload)
    return [(error.attr, error.code) for error in raised.value.errors]


class TestService:
    def test_what_was_announced_and_brought_is_a_file(self, alice, cloudinary):
        upload = invite(alice)
        assert upload.file.completed_at is None
        assert bring(upload, image()).status_code == 200
        file = complete(alice, upload)
        assert (file.name, file.width, file.height) == ("cat.jpg", 40, 30)
        assert File.objects.get().completed_at is not None
        ((resource_type, type_, public_id),) = cloudinary.kept
        assert (resource_type, type_) == ("image", "authenticated")
        assert file.stored_as == f"{public_id}.jpg"

    def test_a_film_has_a_duration_and_a_document_none(self, alice, cloudinary):
        for content_type, duration in (("video/mp4", 1.5), ("audio/ogg", 1.5), ("application/pdf", None)):
            content = BEGINNINGS[content_type]
            upload = invite(alice, content_type=content_type, size=len(content))
            bring(upload, content)
            assert complete(alice, upload).duration == duration

    def test_the_signature_is_for_this_place_only(self, alice, cloudinary):
        upload = invite(alice)
        for change in (
            {"public_id": "elsewhere"},
            {"type": "upload"},
            {"overwrite": "1"},
            {"timestamp": "1"},
        ):
            assert bring(upload, image(), **change).status_code == 401
        assert cloudinary.kept == {}

    def test_what_was_looked_at_is_not_replaced_by_the_same_signature(self, alice, cloudinary):
        upload = invite(alice)
        bring(upload, image())
        complete(alice, upload)
        bring(upload, image(size=(90, 90)))
        assert list(cloudinary.kept.values()) == [image()]

    def test_a_repeat_changes_nothing_and_asks_nobody(self, alice, cloudinary):
        upload = invite(alice)
        bring(upload, image())
        first = complete(alice, upload)
        cloudinary.requests.clear()
        assert complete(alice, upload) == first
        assert cloudinary.requests == []

    def test_what_was_not_brought_is_missing(self, alice, cloudinary):
        upload = invite(alice)
        assert broken_rules(alice, upload) == [("file", "missing")]
        bring(upload, image())
        assert complete(alice, upload).completed_at

    def test_what_was_announced_must_come(self, alice, cloudinary):
        bring(bigger := invite(alice, size=CAT["size"] - 1), image())
        assert broken_rules(alice, bigger) == [("size", "mismatch")]
        bring(png := invite(alice, content_type="image/png"), image())
        assert broken_rules(alice, png) == [("content_type", "mismatch")]
        html = b"<html>"
        bring(page := invite(alice, content_type="application/pdf", size=len(html)), html)
        assert broken_rules(alice, page) == [("content_type", "mismatch")]
        assert not File.objects.filter(completed_at__isnull=False).exists()

    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    def test_a_picture_of_too_many_pixels_is_refused(self, alice, cloudinary):
        huge = huge_png(8_000, 8_000)
        bring(upload := invite(alice, content_type="image/png", size=len(huge)), huge)
        with pytest.raises(TooLarge):
            complete(alice, upload)

    def test_another_ones_and_one_that_was_invited_long_ago_are_not_there(self, alice, bob, cloudinary):
        upload = invite(alice)
        bring(upload, image())
        with pytest.raises(NotFound):
            complete(bob, upload)
        File.objects.update(created_at=timezone.now() - timedelta(hours=4))
        with pytest.raises(NotFound):
            complete(alice, upload)

    @pytest.mark.parametrize(
        "content_type", ["image/svg+xml", "text/html", "image/tiff", "image/JPEG", "x", "image/*"]
    )
    def test_types_that_are_not_taken_are_not_invited(self, alice, cloudinary, content_type):
        with pytest.raises(UnsupportedMediaType):
            invite(alice, content_type=content_type)
        assert not File.objects.exists()

    def test_nor_is_more_than_is_taken(self, alice, cloudinary, settings):
        with pytest.raises(TooLarge):
            invite(alice, size=settings.MAX_UPLOAD_BYTES + 1)

    def test_a_document_of_an_office_is_one_by_its_announced_type(self, alice, cloudinary):
        content = BEGINNINGS["application/zip"]
        type_ = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        upload = invite(alice, filename="a.docx", content_type=type_, size=len(content))
        bring(upload, content)
        assert complete(alice, upload).name == "a.docx"


class TestApi:
    def test_a_client_is_told_where_and_what(self, alice, client_of, cloudinary):
        client = client_of(alice)
        answer = client.post(URL, CAT)
        assert answer.status_code == 201
        body = answer.json()
        assert set(body) == {"upload_id", "upload_url", "fields", "expires_at"}
        assert body["upload_url"] == f"{cloudinary.prefix}/v1_1/loopback/image/upload"
        assert "s3cret-of-loopback" not in answer.content.decode()
        sent = httpx.post(body["upload_url"], data=body["fields"], files={"file": image()}, timeout=10)
        assert sent.status_code == 200
        done = client.post(f"/api/v1/uploads/{body['upload_id']}/complete")
        assert (done.status_code, done.json()["size"]) == (200, CAT["size"])

    @pytest.mark.parametrize(
        ("change", "attr"),
        [
            ({"filename": None}, "filename"),
            ({"filename": ""}, "filename"),
            ({"filename": "a\r\nb"}, "filename"),
            ({"filename": "x" * 256}, "filename"),
            ({"content_type": 5}, "content_type"),
            ({"content_type": "x" * 101}, "content_type"),
            ({"size": 0}, "size"),
            ({"size": -1}, "size"),
            ({"size": "5"}, "size"),
            ({"size": 2**64}, "size"),
            ({"stored_as": "x"}, "stored_as"),
        ],
    )
    def test_an_odd_body_is_400(self, alice, client_of, cloudinary, change, attr):
        answer = client_of(alice).post(URL, {**CAT, **change})
        assert answer.status_code == 400
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]
        assert not File.objects.exists()

    def test_a_type_that_is_not_taken_is_415_and_too_much_413(self, alice, client_of, cloudinary):
        client = client_of(alice)
        for change, status in (({"content_type": "text/html"}, 415), ({"size": 10**12}, 413)):
            assert client.post(URL, {**CAT, **change}).status_code == status

    def test_a_server_that_keeps_files_itself_says_so(self, alice, client_of):
        answer = client_of(alice).post(URL, CAT)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert "/api/v1/uploads" in answer.json()["detail"]
        assert not File.objects.exists()

    def test_what_was_to_come_to_another_store_is_not_here(self, alice, client_of, cloudinary, settings):
        upload = invite(alice)
        settings.STORAGES = {**settings.STORAGES, **file_stores.LOCAL}
        answer = client_of(alice).post(f"/api/v1/uploads/{upload.file.id}/complete")
        assert answer.status_code == 400
        assert [(error["attr"], error["code"]) for error in answer.json()["errors"]] == [("file", "missing")]

    def test_a_stranger_gets_404_as_for_what_is_not_there(self, alice, charlie, client_of, cloudinary):
        upload = invite(alice)
        for id_ in (upload.file.id, uuid.uuid4(), "x"):
            answer = client_of(charlie).post(f"/api/v1/uploads/{id_}/complete")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_anonymous_gets_401(self, anonymous, cloudinary):
        assert anonymous.post(URL, CAT).status_code == 401
        assert anonymous.post(f"/api/v1/uploads/{uuid.uuid4()}/complete").status_code == 401

    def test_a_store_that_fails_is_502(self, alice, client_of, cloudinary):
        upload = invite(alice)
        cloudinary.failing = 500
        answer = client_of(alice).post(f"/api/v1/uploads/{upload.file.id}/complete")
        assert (answer.status_code, answer.json()["code"]) == (502, "storage_unavailable")
