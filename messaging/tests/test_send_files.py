"""Sending a file that was uploaded: once, by who uploaded it."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import Conflict, IdempotencyConflict, NotFound, ValidationFailed
from messaging import schemas, services
from messaging.models import File, Message
from rooms.services import create_room
from tests.files import BEGINNINGS, image, upload
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rooms/kitchen/messages"


@pytest.fixture
def uploaded():
    """Uploads a file of a user; its id."""

    def do(user, content=None, name="cat.jpg"):
        return str(services.upload_file(user, file=upload(content or image(), name)).id)

    return do


class TestService:
    def test_the_message_has_it(self, alice, room, say, uploaded):
        id_ = uploaded(alice)
        message = say(alice, None, file_id=id_.upper())
        assert (str(message.file_id), message.type, message.content) == (id_, "image", "")
        assert message.file_url == f"/api/v1/files/{id_}/content"
        assert File.objects.get().unsent_since is None

    @pytest.mark.parametrize(
        ("content_type", "type_"),
        [
            ("video/mp4", "video"),
            ("audio/ogg", "audio"),
            ("application/pdf", "file"),
            ("text/plain", "file"),
        ],
    )
    def test_its_type_is_that_of_its_content(self, alice, room, say, uploaded, content_type, type_):
        id_ = uploaded(alice, BEGINNINGS[content_type], "cat.jpg")
        assert say(alice, file_id=id_).type == type_

    def test_everyone_gets_the_file_with_the_message(self, alice, room, say, uploaded, events_of):
        message = say(alice, file_id=uploaded(alice))
        (frame,) = events_of(room.stream)
        assert frame["data"]["file"] == {
            "id": str(message.file_id),
            "url": message.file_url,
            "name": "cat.jpg",
            "content_type": "image/jpeg",
            "size": len(image()),
            "width": 40,
            "height": 30,
            "duration": None,
            "thumbnail_url": None,
        }

    def test_what_is_not_mine_or_not_there_is_not_found(self, alice, bob, room, say, uploaded):
        bobs = uploaded(bob)
        pending = uploaded(alice)
        File.objects.filter(id=pending).update(completed_at=None)
        for id_ in (bobs, pending, str(uuid.uuid4())):
            with pytest.raises(NotFound):
                say(alice, file_id=id_)
        assert not Message.objects.exists()
        assert say(bob, file_id=bobs).seq == 1

    def test_it_is_sent_once(self, alice, room, say, uploaded):
        id_ = uploaded(alice)
        say(alice, file_id=id_)
        create_room(alice, name="Bath", slug="bath")
        for key in ("kitchen", "bath"):
            with pytest.raises(Conflict):
                say(alice, file_id=id_, room=key)
        assert Message.objects.count() == 1

    def test_twice_in_a_batch_is_once_and_a_refusal_leaves_it_unsent(
        self, alice, charlie, room, draft_of, uploaded
    ):
        id_ = uploaded(alice)
        refused, sent, again = services.send_messages(
            [
                draft_of(alice, file_id=id_, room="attic"),
                draft_of(alice, file_id=id_),
                draft_of(alice, file_id=id_),
            ]
        )
        assert isinstance(refused, NotFound)
        assert isinstance(sent, services.Sent)
        assert isinstance(again, Conflict)

    def test_a_repeat_is_the_first_message(self, alice, room, say, draft_of, uploaded):
        id_ = uploaded(alice)
        draft = draft_of(alice, file_id=id_, client_message_id="c-1")
        first, second = (services.send_message(draft) for _ in range(2))
        assert (second.duplicate, second.message.id) == (True, first.message.id)
        assert schemas.message(second.message) == schemas.message(first.message)
        with pytest.raises(IdempotencyConflict):
            say(alice, file_id=uploaded(alice), client_message_id="c-1")

    def test_a_file_and_a_url_are_one_too_many(self, alice, room, say, uploaded):
        with pytest.raises(ValidationFailed) as raised:
            say(alice, file_id=uploaded(alice), file_url="https://cloudinary.com/a.jpg")
        assert [(error.attr, error.code) for error in raised.value.errors] == [("file_url", "exclusive")]

    @pytest.mark.django_db(transaction=True)
    def test_of_two_messages_at_once_one_gets_it(self, alice, bob, room, draft_of, uploaded, race):
        create_room(alice, name="Bath", slug="bath")
        for _ in range(10):
            id_ = uploaded(alice)
            drafts = [draft_of(alice, file_id=id_, room=key) for key in ("kitchen", "bath")]
            outcomes = race(*(lambda draft=draft: services.send_messages([draft])[0] for draft in drafts))
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Sent"]
            assert Message.objects.filter(file_id=id_).count() == 1

    def test_a_batch_takes_two_statements_for_all_of_its_files_and_none_without(
        self, alice, room, draft_of, uploaded
    ):
        services.send_messages([draft_of(alice)])

        def count(size):
            drafts = [draft_of(alice, file_id=uploaded(alice)) for _ in range(size)]
            with CaptureQueriesContext(connection) as queries:
                sent = services.send_messages(drafts or [draft_of(alice)])
            assert all(isinstance(outcome, services.Sent) for outcome in sent)
            return len(queries)

        assert count(1) == count(20) == count(0) + 2


class TestApi:
    def test_history_and_the_answer_show_it(self, alice, bob, room, client_of, uploaded):
        body = {"file_id": uploaded(alice), "content": "My cat"}
        answer = client_of(alice).post(PATH, body)
        assert answer.status_code == 201
        assert answer.json()["file"]["id"] == body["file_id"]
        assert client_of(bob).get(PATH).json()["results"] == [answer.json()]

    def test_a_repeat_answers_200_with_the_file(self, alice, room, client_of, uploaded):
        body = {"file_id": uploaded(alice), "client_message_id": "c-1"}
        client = client_of(alice)
        first, second = (client.post(PATH, body) for _ in range(2))
        assert (second.status_code, second.json()) == (200, first.json())

    def test_another_ones_file_is_404_and_a_sent_one_409(self, alice, bob, room, client_of, uploaded):
        id_ = uploaded(alice)
        answer = client_of(bob).post(PATH, {"file_id": id_})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        client = client_of(alice)
        client.post(PATH, {"file_id": id_})
        answer = client.post(PATH, {"file_id": id_})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    def test_a_deleted_message_shows_no_file(self, alice, room, say, client_of, uploaded):
        message = say(alice, file_id=uploaded(alice))
        services.delete_message(alice.id, message_id=message.id)
        (shown,) = client_of(alice).get(PATH).json()["results"]
        assert (shown["type"], shown["file"], shown["file_url"]) == ("image", None, None)

    def test_a_file_of_a_deleted_message_is_not_sent_again(self, alice, room, say, client_of, uploaded):
        id_ = uploaded(alice)
        services.delete_message(alice.id, message_id=say(alice, file_id=id_).id)
        assert client_of(alice).post(PATH, {"file_id": id_}).status_code == 409

    def test_the_files_of_a_page_are_read_at_once(self, alice, room, draft_of, client_of, uploaded):
        services.send_messages([draft_of(alice, file_id=uploaded(alice)) for _ in range(30)])
        client, counts = client_of(alice), []
        for limit in (1, 10, 30):
            with CaptureQueriesContext(connection) as queries:
                page = client.get(PATH, {"limit": limit}).json()["results"]
            assert all(message["file"] for message in page)
            counts.append(len(queries))
        assert len(set(counts)) == 1


@pytest.mark.django_db(transaction=True)
class TestFrame:
    async def test_an_upload_goes_out_with_a_message(self, each_server: LiveServer) -> None:
        alice, bob = Person(each_server, "alice"), Person(each_server, "bob")
        room = alice.direct_room_with(bob)
        file = alice.call("POST", "/uploads", files={"file": ("cat.jpg", image())}).json()
        async with alice.socket() as mine, bob.socket() as theirs:
            await mine.until("ready")
            await theirs.until("ready")
            ack = await mine.ask("message", {"room_id": room, "file_id": file["id"]})
            assert ack["type"] == "ack"
            shown = (await theirs.until("message"))["data"]
            assert (shown["type"], shown["file"], shown["file_url"]) == ("image", file, file["url"])
            for data, code, attr in [
                ({"file_id": file["id"]}, "conflict", None),
                ({"file_id": room}, "not_found", None),
                ({"file_id": "first"}, "validation_error", "file_id"),
                ({"file_id": 5}, "validation_error", "file_id"),
                (
                    {"file_id": file["id"], "file_url": "https://cloudinary.com/a"},
                    "validation_error",
                    "file_url",
                ),
            ]:
                refused = await mine.ask("message", {"room_id": room, **data})
                assert (refused["type"], refused["data"]["code"]) == ("error", code)
                assert [error["attr"] for error in refused["data"]["errors"]] == ([attr] if attr else [])
            of_bob = await theirs.ask("message", {"room_id": room, "file_id": file["id"]})
            assert of_bob["data"]["code"] == "not_found"
        assert bob.call("GET", f"/files/{file['id']}/content").content == image()
