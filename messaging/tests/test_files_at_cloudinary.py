"""Files that are kept with Cloudinary: the same doors, and what happens when it fails or hangs."""

import time

import httpx
import pytest

from core.errors import UnsupportedMediaType
from core.storage import guard
from messaging import services
from messaging.models import File
from realtime.tests.stage import Insider
from tests.files import BEGINNINGS, image, upload
from tests.live import LiveServer
from tests.loopback_cloudinary import LoopbackCloudinary

pytestmark = pytest.mark.django_db

URL = "/api/v1/uploads"


class TestService:
    @pytest.mark.parametrize(
        ("content_type", "resource_type", "extension"),
        [
            ("video/mp4", "video", ""),
            ("audio/mpeg", "video", ""),
            ("application/pdf", "raw", ".pdf"),
            ("text/plain", "raw", ".txt"),
        ],
    )
    def test_it_goes_there_and_nobody_gets_at_it_unsigned(
        self, alice, cloudinary, content_type, resource_type, extension
    ):
        file = services.upload_file(alice, file=upload(BEGINNINGS[content_type]))
        public_id = f"attachments/{file.id.hex[-2:]}/{file.id.hex}{extension}"
        assert cloudinary.kept == {(resource_type, "authenticated", public_id): BEGINNINGS[content_type]}

    def test_a_large_one_goes_in_parts(self, alice, cloudinary):
        content = b"A line of a log.\n" * 500_000
        services.upload_file(alice, file=upload(content))
        assert list(cloudinary.kept.values()) == [content]
        assert cloudinary.largest_part <= 6_000_000
        assert len(cloudinary.requests) == 2

    def test_what_it_does_not_take_is_refused(self, alice, cloudinary):
        cloudinary.failing = 400
        with pytest.raises(UnsupportedMediaType):
            services.upload_file(alice, file=upload(image()))
        assert File.objects.get().completed_at is None


class TestApi:
    def test_content_is_where_the_redirect_leads(self, alice, client_of, cloudinary):
        client = client_of(alice)
        id_ = client.post(URL, {"file": upload(image(), "cat.jpg")}, format="multipart").json()["id"]
        answer = client.get(f"/api/v1/files/{id_}/content")
        assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
        assert httpx.get(answer["Location"], timeout=10).content == image()
        link = client.get(f"/api/v1/files/{id_}").json()["download_url"]
        assert httpx.get(link, timeout=10).content == image()
        assert "attachment=" not in link

    def test_what_no_page_shows_is_linked_to_for_saving(self, alice, client_of, cloudinary):
        file = services.upload_file(alice, file=upload(b"Hi"))
        assert "attachment=" in client_of(alice).get(f"/api/v1/files/{file.id}").json()["download_url"]

    @pytest.mark.parametrize("status", [401, 403, 404, 420, 500, 502, 503])
    def test_when_it_fails_it_is_502_and_the_rest_goes_on(self, alice, client_of, cloudinary, status):
        cloudinary.failing = status
        client = client_of(alice)
        answer = client.post(URL, {"file": upload(b"Hi")}, format="multipart")
        assert (answer.status_code, answer.json()["code"]) == (502, "storage_unavailable")
        assert "Told to fail" not in answer.content.decode()
        cloudinary.failing = None
        assert client.post(URL, {"file": upload(b"Hi")}, format="multipart").status_code == 201

    def test_when_it_is_gone_it_is_502(self, alice, client_of, cloudinary, settings):
        cloudinary.http.server_close()
        answer = client_of(alice).post(URL, {"file": upload(b"Hi")}, format="multipart")
        assert (answer.status_code, answer.json()["code"]) == (502, "storage_unavailable")

    def test_when_it_hangs_it_is_asked_once_and_then_left_alone_for_a_while(
        self, alice, client_of, cloudinary, monkeypatch
    ):
        cloudinary.hang()
        client = client_of(alice)
        for _ in range(3):
            answer = client.post(URL, {"file": upload(b"Hi")}, format="multipart")
            assert (answer.status_code, answer.json()["code"]) == (502, "storage_unavailable")
        assert len(cloudinary.requests) == 1
        assert answer.json()["retry_after"] <= guard.SECONDS_ALONE
        cloudinary.released.set()
        monkeypatch.setattr(guard, "_again", time.monotonic())
        assert client.post(URL, {"file": upload(b"Hi")}, format="multipart").status_code == 201


@pytest.mark.django_db(transaction=True)
class TestServer:
    def test_the_variable_is_all_that_it_takes(self):
        with LoopbackCloudinary() as cloud:
            server = LiveServer(CLOUDINARY_URL=cloud.url).start()
            try:
                alice = Insider(server, "alice")
                file = alice.call("POST", "/uploads", files={"file": ("cat.jpg", image())}).json()
                content = alice.call("GET", f"/files/{file['id']}/content", follow_redirects=True)
                assert content.content == image()
                me = alice.call("PUT", "/users/me/avatar", files={"file": image()}).json()
            finally:
                server.close()
        assert me["avatar_url"].startswith("https://res.cloudinary.com/loopback/image/upload/")
        assert sorted(type_ for _, type_, _ in cloud.kept) == ["authenticated", "upload"]
