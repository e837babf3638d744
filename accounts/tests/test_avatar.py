"""PUT and DELETE /users/me/avatar."""

from io import BytesIO
from pathlib import Path

import pytest
from django.db import transaction
from PIL import Image

from accounts import schemas, services
from accounts.models import User
from core.errors import StorageUnavailable, TooLarge, UnsupportedMediaType
from core.storage import avatars
from eventlog.log import user_stream
from tests.files import HERE, huge_png, image, phone_photo, picture, upload

pytestmark = pytest.mark.django_db

URL = "/api/v1/users/me/avatar"


@pytest.fixture
def kept(settings):
    """The avatars in the store, by the last part of their names."""
    folder = Path(settings.MEDIA_ROOT, "avatars")
    before = set(folder.glob("*"))
    return lambda: {path.name: path.read_bytes() for path in set(folder.glob("*")) - before}


class TestService:
    def test_my_devices_are_told(self, alice, events_of):
        user = services.set_avatar(alice, file=picture())
        (event,) = events_of(user_stream(alice.id))
        assert event["type"] == "account.updated"
        assert event["data"]["avatar_url"] == schemas.me(user).avatar_url is not None

    def test_it_is_a_small_square_without_the_place_where_it_was_taken(self, alice, kept):
        photo = phone_photo((1200, 900))
        assert HERE in photo
        services.set_avatar(alice, file=upload(photo))
        ((name, made),) = kept().items()
        assert name.endswith(".webp")
        assert HERE not in made
        assert Image.open(BytesIO(made)).size == (avatars.SIDE, avatars.SIDE)

    @pytest.mark.django_db(transaction=True)
    def test_the_one_before_is_deleted_after_the_commit(self, alice, kept):
        services.set_avatar(alice, file=picture())
        (first,) = kept()
        with transaction.atomic():
            services.set_avatar(alice, file=picture())
            assert first in kept()
        (second,) = kept()
        assert second != first

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_the_one_before(self, alice, kept, events_of, announced):
        services.set_avatar(alice, file=picture())
        (first,) = kept()
        with transaction.atomic():
            services.remove_avatar(alice)
            transaction.set_rollback(True)
        assert set(kept()) == {first}
        assert User.objects.get().avatar == f"avatars/{first}"
        assert announced() == [(user_stream(alice.id), "account.updated")]

    @pytest.mark.django_db(transaction=True)
    def test_without_one_there_is_nothing_to_remove(self, alice, events_of):
        assert services.remove_avatar(alice).avatar == ""
        assert events_of(user_stream(alice.id)) == []

    @pytest.mark.django_db(transaction=True)
    def test_of_several_at_once_one_is_left(self, alice, race, kept, events_of):
        race(*(lambda: services.set_avatar(alice, file=picture()) for _ in range(4)))
        assert [f"avatars/{name}" for name in kept()] == [User.objects.get().avatar]
        assert len(events_of(user_stream(alice.id))) == 4

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (b"Hi", UnsupportedMediaType),
            (b"<svg/>", UnsupportedMediaType),
            (image(size=(400, 300))[:1000], UnsupportedMediaType),
            (huge_png(20_000, 20_000), TooLarge),
        ],
        ids=["text", "svg", "cut", "huge"],
    )
    def test_what_is_no_picture_changes_nothing(self, alice, kept, events_of, content, error):
        with pytest.raises(error):
            services.set_avatar(alice, file=upload(content))
        assert kept() == {}
        assert events_of(user_stream(alice.id)) == []

    def test_a_store_that_fails_changes_nothing(self, alice, cloudinary, events_of):
        cloudinary.failing = 500
        with pytest.raises(StorageUnavailable):
            services.set_avatar(alice, file=picture())
        assert User.objects.get().avatar == ""
        assert events_of(user_stream(alice.id)) == []

    def test_a_store_that_hangs_is_not_waited_for(self, alice, cloudinary):
        cloudinary.hang()
        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                services.set_avatar(alice, file=picture())
        assert len(cloudinary.requests) == 1

    @pytest.mark.django_db(transaction=True)
    def test_at_cloudinary_it_is_public_and_the_one_before_goes(self, alice, cloudinary):
        services.set_avatar(alice, file=picture())
        user = services.set_avatar(alice, file=picture())
        ((resource_type, type_, public_id),) = cloudinary.kept
        assert (resource_type, type_, public_id) == ("image", "upload", user.avatar)
        assert (
            schemas.me(user).avatar_url == f"https://res.cloudinary.com/loopback/image/upload/v1/{public_id}"
        )

    @pytest.mark.django_db(transaction=True)
    def test_one_that_cant_be_deleted_is_left_and_nobody_minds(self, alice, cloudinary):
        services.set_avatar(alice, file=picture())
        cloudinary.failing = 500
        assert services.remove_avatar(alice).avatar == ""
        assert len(cloudinary.kept) == 1


class TestApi:
    def test_i_show_it_and_it_is_there_for_everyone(self, alice, client_of, anonymous):
        answer = client_of(alice).put(URL, {"file": picture()}, format="multipart")
        assert answer.status_code == 200
        url = answer.json()["avatar_url"]
        shown = anonymous.get(url)
        assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
        assert shown["Cache-Control"] == "public, max-age=31536000, immutable"
        assert Image.open(BytesIO(b"".join(shown.streaming_content))).format == "WEBP"

    def test_the_event_is_the_answer(self, alice, client_of, events_of):
        client = client_of(alice)
        shown = client.put(URL, {"file": picture()}, format="multipart").json()
        taken_away = client.delete(URL).json()
        assert taken_away == shown | {"avatar_url": None}
        assert [event["data"] for event in events_of(user_stream(alice.id))] == [shown, taken_away]
        assert client.get("/api/v1/users/me").json() == taken_away

    def test_others_see_it_wherever_i_am(self, alice, bob, client_of):
        url = client_of(alice).put(URL, {"file": picture()}, format="multipart").json()["avatar_url"]
        client = client_of(bob)
        assert client.get(f"/api/v1/users/{alice.id}").json()["avatar_url"] == url
        (found,) = client.get("/api/v1/users", {"search": "alice"}).json()["results"]
        assert found["avatar_url"] == url
        room = client.post("/api/v1/rooms/direct", {"user_id": str(alice.id)}).json()
        assert room["peer"]["avatar_url"] == url
        client_of(alice).post(f"/api/v1/rooms/{room['id']}/messages", {"content": "Hi"})
        (message,) = client.get(f"/api/v1/rooms/{room['id']}/messages").json()["results"]
        assert message["sender"]["avatar_url"] == url

    @pytest.mark.parametrize(
        ("form", "status", "code"),
        [
            ({}, 400, "validation_error"),
            ({"file": "text"}, 400, "validation_error"),
            ({"file": upload(b"")}, 400, "validation_error"),
            ({"file": picture(), "user_id": "x"}, 400, "unknown_field"),
            ({"file": upload(b"<svg/>", "a.png")}, 415, "unsupported_media_type"),
            ({"file": upload(b"%PDF-1.7", "a.png")}, 415, "unsupported_media_type"),
            ({"file": upload(huge_png(20_000, 20_000))}, 413, "too_large"),
        ],
        ids=["nothing", "text", "empty", "another key", "svg", "pdf", "huge"],
    )
    def test_an_odd_form_is_refused(self, alice, client_of, form, status, code):
        for value in form.values():
            if hasattr(value, "seek"):
                value.seek(0)
        answer = client_of(alice).put(URL, form, format="multipart")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert User.objects.get().avatar == ""

    def test_more_than_a_file_may_have_is_413(self, alice, client_of, settings):
        settings.MAX_UPLOAD_BYTES = 1024
        answer = client_of(alice).generic("PUT", URL, b"x" * 70_000, "multipart/form-data; boundary=x")
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    def test_anonymous_gets_401(self, anonymous):
        for answer in (anonymous.put(URL, {"file": picture()}, format="multipart"), anonymous.delete(URL)):
            assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize("name", ["0" * 32 + ".webp", "x.webp", "../attachments/x", "%2e%2e/x", ""])
    def test_another_path_is_404(self, anonymous, name):
        assert anonymous.get(f"/media/avatars/{name}").status_code == 404
