"""GET /files/{id} and its content: for the uploader, and for members as long as they are members."""

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging import selectors, services
from messaging.models import File, Message
from rooms.models import Room
from rooms.services import add_members, leave_room, remove_member
from tests.files import BEGINNINGS, image, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(alice):
    """A file of alice's that she has not sent."""
    return services.upload_file(alice, file=upload(image(), "cat.jpg"))


@pytest.fixture
def sent(alice, room, say, file):
    """The same, sent to the kitchen."""
    say(alice, file_id=str(file.id))
    return file


def url(file):
    return f"/api/v1/files/{file.id}"


def content_of(answer):
    return b"".join(answer.streaming_content)


class TestApi:
    def test_a_member_sees_it_with_a_link(self, bob, sent, client_of, anonymous):
        answer = client_of(bob).get(url(sent))
        assert answer.status_code == 200
        body = answer.json()
        link = body.pop("download_url")
        assert body == {
            "id": str(sent.id),
            "url": f"{url(sent)}/content",
            "name": "cat.jpg",
            "content_type": "image/jpeg",
            "size": len(image()),
            "width": 40,
            "height": 30,
            "duration": None,
            "thumbnail_url": None,
        }
        assert content_of(anonymous.get(link)) == image()

    def test_its_content_is_the_bytes_and_nothing_that_a_browser_runs(self, bob, sent, client_of):
        answer = client_of(bob).get(f"{url(sent)}/content")
        assert (answer.status_code, content_of(answer)) == (200, image())
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["Content-Length"] == str(len(image()))
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["Content-Disposition"] == 'inline; filename="cat.jpg"'
        assert answer["Cache-Control"] == "private, no-cache"

    @pytest.mark.parametrize("content_type", ["application/pdf", "application/zip", "text/plain"])
    def test_what_is_no_picture_sound_or_film_is_to_be_saved(self, alice, client_of, content_type):
        file = services.upload_file(alice, file=upload(BEGINNINGS[content_type], 'Grüße "1"'))
        answer = client_of(alice).get(f"{url(file)}/content")
        assert answer["Content-Type"] == content_type
        assert answer["Content-Disposition"].startswith(
            "attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe%20%221%22."
        )

    def test_who_uploaded_it_sees_it_unsent_and_after_leaving(self, alice, bob, room, say, client_of):
        bobs = services.upload_file(bob, file=upload(b"Hi"))
        assert client_of(bob).get(url(bobs)).status_code == 200
        assert client_of(alice).get(url(bobs)).status_code == 404
        say(bob, file_id=str(bobs.id))
        leave_room(bob, room_key="kitchen")
        assert client_of(bob).get(url(bobs)).status_code == 200
        assert client_of(alice).get(url(bobs)).status_code == 200

    def test_a_member_sees_it_until_they_are_removed_by_their_link_too(
        self, alice, bob, sent, client_of, anonymous
    ):
        client = client_of(bob)
        link = client.get(url(sent)).json()["download_url"]
        assert anonymous.get(link).status_code == 200
        remove_member(alice, room_key="kitchen", user_id=bob.id)
        for path in (url(sent), f"{url(sent)}/content"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert anonymous.get(link).status_code == 404
        add_members(alice, room_key="kitchen", user_ids=[bob.id])
        assert anonymous.get(link).status_code == 200

    def test_a_stranger_gets_404_as_for_what_is_not_there(self, charlie, sent, client_of):
        client = client_of(charlie)
        for end in ("", "/content"):
            hidden = client.get(url(sent) + end)
            missing = client.get(f"/api/v1/files/0198a1b2-0000-7000-8000-000000000001{end}")
            assert hidden.status_code == missing.status_code == 404
            assert hidden.json() | {"request_id": ""} == missing.json() | {"request_id": ""}

    def test_one_that_is_not_complete_is_not_there(self, alice, file, client_of):
        File.objects.update(completed_at=None)
        for end in ("", "/content"):
            assert client_of(alice).get(url(file) + end).status_code == 404

    def test_with_its_message_it_is_gone_for_everyone(self, alice, bob, sent, client_of, anonymous):
        link = client_of(bob).get(url(sent)).json()["download_url"]
        services.delete_message(alice.id, message_id=Message.objects.get().id)
        for user in (alice, bob):
            for end in ("", "/content"):
                assert client_of(user).get(url(sent) + end).status_code == 404
        assert anonymous.get(link).status_code == 404

    def test_who_came_after_it_where_the_past_is_hidden_does_not_see_it(
        self, alice, charlie, room, sent, client_of
    ):
        Room.objects.update(history="joined")
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        for end in ("", "/content"):
            assert client_of(charlie).get(url(sent) + end).status_code == 404

    def test_where_verification_is_required_a_token_alone_is_not_enough_and_a_link_is(
        self, bob, sent, client_of, anonymous, settings
    ):
        link = client_of(bob).get(url(sent)).json()["download_url"]
        settings.EMAIL_VERIFICATION = "required"
        answer = client_of(bob).get(f"{url(sent)}/content")
        assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")
        assert anonymous.get(link).status_code == 200

    def test_anonymous_gets_401(self, sent, anonymous):
        for end in ("", "/content"):
            answer = anonymous.get(url(sent) + end)
            assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_no_path_leads_to_it(self, sent, client_of, alice):
        for path in (f"/media/{sent.stored_as}", f"/{sent.stored_as}", "/media/avatars/../" + sent.stored_as):
            assert client_of(alice).get(path).status_code == 404

    def test_a_file_that_the_disk_lost_is_502(self, alice, sent, client_of, settings):
        Path(settings.MEDIA_ROOT, sent.stored_as).unlink()
        answer = client_of(alice).get(f"{url(sent)}/content")
        assert (answer.status_code, answer.json()["code"]) == (502, "storage_unavailable")

    def test_the_queries_are_few(self, bob, sent, client_of):
        client = client_of(bob)
        for path in (url(sent), f"{url(sent)}/content"):
            with CaptureQueriesContext(connection) as queries:
                client.get(path)
            assert len(queries) == 3  # the session, the file, whether its message may be read


class TestLink:
    def test_it_is_for_a_short_while(self, alice, file, anonymous, settings):
        link = f"{url(file)}/content?signature={selectors.signature_for(alice, file)}"
        assert anonymous.get(link).status_code == 200
        settings.FILE_LINK_SECONDS = -1
        answer = anonymous.get(link)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")

    def test_it_is_for_one_file(self, alice, file, anonymous):
        other = services.upload_file(alice, file=upload(b"secret"))
        link = f"{url(other)}/content?signature={selectors.signature_for(alice, file)}"
        answer = anonymous.get(link)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")

    @pytest.mark.parametrize("signature", ["forged", "a:b:c", "é"])
    def test_another_one_is_401(self, file, anonymous, signature):
        answer = anonymous.get(f"{url(file)}/content", {"signature": signature})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")

    @pytest.mark.parametrize(
        "query", [{"signature": ""}, {"signature": "\0"}, {"signature": "x" * 501}, {"token": "x"}]
    )
    def test_an_odd_query_is_400(self, alice, file, client_of, query):
        answer = client_of(alice).get(f"{url(file)}/content", query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_it_ends_with_the_account(self, alice, file, anonymous):
        link = f"{url(file)}/content?signature={selectors.signature_for(alice, file)}"
        User.objects.update(is_active=False)
        assert anonymous.get(link).status_code == 401

    def test_a_token_that_is_no_good_is_not_made_good_by_it(self, alice, file, anonymous):
        anonymous.credentials(HTTP_AUTHORIZATION="Bearer forged")
        link = f"{url(file)}/content?signature={selectors.signature_for(alice, file)}"
        assert anonymous.get(link).status_code == 401


class TestRange:
    @pytest.fixture
    def text(self, alice):
        return services.upload_file(alice, file=upload(b"0123456789"))

    @pytest.mark.parametrize(
        ("asked", "part", "range_"),
        [
            ("bytes=0-", b"0123456789", None),
            ("bytes=0-9", b"0123456789", None),
            ("bytes=0-99", b"0123456789", None),
            ("bytes=0-0", b"0", "bytes 0-0/10"),
            ("bytes=2-4", b"234", "bytes 2-4/10"),
            ("bytes=7-", b"789", "bytes 7-9/10"),
            ("bytes=7-99", b"789", "bytes 7-9/10"),
            ("bytes=-3", b"789", "bytes 7-9/10"),
            ("bytes=-99", b"0123456789", None),
            # What can't be read is passed over (RFC 9110 §14.2), and more than one may be.
            ("bytes=4-2", b"0123456789", None),
            ("bytes=-0", b"0123456789", None),
            ("bytes=-", b"0123456789", None),
            ("bytes=1-2,4-5", b"0123456789", None),
            ("lines=1-2", b"0123456789", None),
            ("bytes=" + "9" * 5000 + "-", b"0123456789", None),
            ("x", b"0123456789", None),
        ],
    )
    def test_a_part_comes_alone(self, alice, text, client_of, asked, part, range_):
        answer = client_of(alice).get(f"{url(text)}/content", HTTP_RANGE=asked)
        assert (content_of(answer), answer.get("Content-Range")) == (part, range_)
        assert answer.status_code == (206 if range_ else 200)
        assert answer["Content-Length"] == str(len(part))
        assert answer["Accept-Ranges"] == "bytes"

    @pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-11", "bytes=99-"])
    def test_what_begins_behind_the_end_is_416(self, alice, text, client_of, asked):
        answer = client_of(alice).get(f"{url(text)}/content", HTTP_RANGE=asked)
        assert (answer.status_code, answer["Content-Range"], answer.content) == (416, "bytes */10", b"")

    def test_a_part_of_what_it_was_is_all_of_what_it_is(self, alice, text, client_of):
        client = client_of(alice)
        etag = client.get(f"{url(text)}/content")["ETag"]
        part = client.get(f"{url(text)}/content", HTTP_RANGE="bytes=1-2", HTTP_IF_RANGE=etag)
        assert content_of(part) == b"12"
        whole = client.get(f"{url(text)}/content", HTTP_RANGE="bytes=1-2", HTTP_IF_RANGE='"other"')
        assert content_of(whole) == b"0123456789"

    def test_who_has_it_is_told_so_if_they_may_still_see_it(self, alice, bob, sent, client_of):
        client = client_of(bob)
        etag = client.get(f"{url(sent)}/content")["ETag"]
        answer = client.get(f"{url(sent)}/content", HTTP_IF_NONE_MATCH=f'"x", {etag}')
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
        assert answer["Content-Type"] == "image/jpeg"
        remove_member(alice, room_key="kitchen", user_id=bob.id)
        assert client.get(f"{url(sent)}/content", HTTP_IF_NONE_MATCH=etag).status_code == 404
