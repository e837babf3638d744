"""A message passed on: its content again, with who said it first."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.errors import Forbidden, IdempotencyConflict, NotFound, ValidationFailed
from eventlog.models import Event
from messaging import services
from messaging.models import File, Message
from messaging.selectors import get_file
from rooms.services import add_members, create_room, leave_room, update_room
from tests.files import picture
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rooms/garden/messages"


@pytest.fixture
def garden(bob, charlie):
    """A room of bob and charlie; alice, who is with bob in the kitchen, is not in it."""
    return create_room(bob, name="Garden", slug="garden", member_ids=[charlie.id])


@pytest.fixture
def said(alice, room, garden, say):
    """What alice said in the kitchen."""
    return say(alice, "Tea?", file_url="https://cloudinary.com/tea.png")


@pytest.fixture
def forward(draft_of):
    """Forwards a message to the garden; the new one."""

    def send(user, message, **fields):
        draft = draft_of(user, None, room="garden", forward_of=str(message.id), **fields)
        return services.send_message(draft).message

    return send


class TestService:
    def test_it_has_the_content_and_the_file_and_tells_whose_they_were(self, alice, bob, said, forward):
        forward(bob, said)
        row = Message.objects.get(room__slug="garden")
        assert (row.content, row.file_url, row.type) == ("Tea?", "https://cloudinary.com/tea.png", "image")
        assert (row.sender, row.forwarded_sender) == (bob, alice)
        assert row.forwarded_at == Message.objects.get(id=said.id).created_at

    def test_what_is_passed_on_twice_stays_its_first_senders(self, alice, bob, charlie, said, forward):
        again = forward(charlie, forward(bob, said))
        assert (again.sender, again.forwarded_sender, again.content) == (charlie, alice, "Tea?")
        assert again.forwarded_at == said.created_at

    def test_it_stays_when_the_first_one_goes(self, bob, said, forward):
        forward(bob, said)
        Message.objects.filter(id=said.id).update(content="", deleted_at=timezone.now())
        assert Message.objects.get(room__slug="garden").content == "Tea?"

    def test_an_uploaded_file_goes_with_it_and_stays_until_nothing_shows_it(
        self, alice, bob, charlie, room, garden, forward, say
    ):
        file = services.upload_file(alice, file=picture())
        first = say(alice, None, file_id=str(file.id))
        with pytest.raises(NotFound):
            get_file(charlie, file.id)
        passed_on = forward(bob, first)
        assert (passed_on.file_id, passed_on.file_url) == (file.id, first.file_url)
        services.delete_message(alice.id, message_id=first.id)
        assert get_file(charlie, file.id) == file
        assert file.id not in services.orphans()
        services.delete_message(bob.id, message_id=passed_on.id)
        with pytest.raises(NotFound):
            get_file(charlie, file.id)
        assert list(services.orphans()) == [file.id]

    def test_not_when_its_file_is_given_up(self, alice, bob, room, garden, forward, say):
        file = services.upload_file(alice, file=picture())
        first = say(alice, None, file_id=str(file.id))
        File.objects.filter(id=file.id).update(completed_at=None)
        with pytest.raises(NotFound):
            forward(bob, first)

    def test_when_it_is_deleted_nothing_of_it_is_left(self, bob, said, garden, forward, shown, events_of):
        passed_on = forward(bob, said)
        services.delete_message(bob.id, message_id=passed_on.id)
        row = Message.objects.get(id=passed_on.id)
        assert (row.content, row.file_url, row.forwarded_sender, row.forwarded_at) == ("", None, None, None)
        assert shown(bob, passed_on)["forwarded"] is None
        first, _ = events_of(garden.stream)
        assert (first["data"]["content"], first["data"]["forwarded"]) == ("", None)

    def test_it_stays_what_its_first_sender_said(self, bob, said, forward):
        with pytest.raises(Forbidden):
            services.edit_message(bob.id, message_id=forward(bob, said).id, content="Poison!")
        assert Message.objects.get(room__slug="garden").content == "Tea?"

    def test_it_mentions_nobody(self, alice, bob, charlie, room, garden, say, forward, shown):
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        passed_on = forward(bob, say(alice, "Tea, @charlie?"))
        assert passed_on.content == "Tea, @charlie?"
        assert shown(charlie, passed_on)["mentions"] == []

    def test_the_past_that_one_may_not_read_can_not_be_passed_on(self, alice, charlie, said, forward, say):
        update_room(alice, room_key="kitchen", history="joined")
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        with pytest.raises(NotFound):
            forward(charlie, said)
        assert forward(charlie, say(alice, "Coffee?")).content == "Coffee?"

    def test_it_may_answer_a_message(self, bob, charlie, said, forward, say):
        question = say(charlie, "What did she say?", room="garden")
        assert forward(bob, said, reply_to=str(question.id)).reply_to_id == question.id

    def test_what_one_can_not_read_is_not_there(self, alice, bob, charlie, said, forward):
        with pytest.raises(NotFound):
            forward(charlie, said)
        leave_room(bob, room_key="kitchen")
        with pytest.raises(NotFound):
            forward(bob, said)

    def test_neither_is_what_was_deleted_or_what_nobody_said(self, bob, said, forward):
        for change in ({"deleted_at": timezone.now()}, {"deleted_at": None, "type": "system"}):
            Message.objects.filter(id=said.id).update(**change)
            with pytest.raises(NotFound):
                forward(bob, said)

    def test_one_must_be_a_member_of_the_room_that_it_goes_to(self, alice, said, forward):
        with pytest.raises(NotFound):
            forward(alice, said)

    @pytest.mark.parametrize("field", [{"content": "x"}, {"file_url": "https://cloudinary.com/a"}])
    def test_it_brings_its_own_content(self, bob, said, draft_of, field):
        draft = draft_of(bob, field.pop("content", None), room="garden", forward_of=str(said.id), **field)
        with pytest.raises(ValidationFailed) as refused:
            services.send_message(draft)
        assert [(error.attr, error.code) for error in refused.value.errors] == [("forward_of", "exclusive")]

    def test_a_repeat_is_the_first_one_and_another_is_a_conflict(self, alice, bob, said, forward, say):
        first = forward(bob, said, client_message_id="c-1")
        assert forward(bob, said, client_message_id="c-1").id == first.id
        for change in ({"forward_of": str(say(alice, "Tea?").id)}, {"content": "Tea?"}):
            body = {"content": None, "forward_of": str(said.id)} | change
            if change.get("content"):
                body["forward_of"] = None
            draft = services.Draft(sender_id=bob.id, room="garden", client_message_id="c-1", **body)
            with pytest.raises(IdempotencyConflict):
                services.send_message(draft)

    def test_in_a_batch_only_those_who_forward_are_looked_up(self, alice, bob, said, draft_of):
        def statements(*drafts):
            with CaptureQueriesContext(connection) as queries:
                assert all(isinstance(sent, services.Sent) for sent in services.send_messages(drafts))
            return len(queries)

        plain = draft_of(bob, room="garden")
        passed_on = draft_of(bob, None, room="garden", forward_of=str(said.id))
        services.send_message(plain)
        # What is passed on, and who has said it first.
        assert statements(*[passed_on] * 20, *[plain] * 20) == statements(plain) + 2

    @pytest.mark.django_db(transaction=True)
    def test_of_two_at_once_with_the_same_id_one_is_saved(self, bob, said, forward, race):
        calls = [lambda: forward(bob, said, client_message_id="c-1")] * 2
        first, second = race(*calls)
        assert first.id == second.id
        assert Message.objects.filter(room__slug="garden").count() == 1

    def test_the_event_has_it_after_the_commit_and_none_is_left_by_a_refusal(
        self, bob, charlie, said, garden, forward, announced, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            with pytest.raises(NotFound):
                forward(charlie, said)
            forward(bob, said)
            assert announced() == []
        assert announced() == [(garden.stream, "message")]
        assert Event.objects.filter(stream__name=garden.stream).count() == 1


class TestApi:
    def test_the_answer_the_history_and_the_event_show_the_same(
        self, alice, bob, said, garden, client_of, events_of
    ):
        client = client_of(bob)
        answer = client.post(PATH, {"forward_of": str(said.id)})
        assert answer.status_code == 201
        shown = answer.json()
        assert shown["forwarded"]["sender"]["username"] == "alice"
        first = client.get(f"/api/v1/messages/{said.id}").json()
        assert shown["forwarded"]["created_at"] == first["created_at"]
        assert (shown["content"], shown["file_url"]) == (first["content"], first["file_url"])
        assert first["forwarded"] is None
        assert client.get(PATH).json()["results"] == [shown]
        (event,) = events_of(garden.stream)
        assert event["data"] == shown | {"room_slug": "garden"}

    def test_a_repeat_answers_200(self, bob, said, client_of):
        body = {"forward_of": str(said.id), "client_message_id": "c-1"}
        first, repeat = (client_of(bob).post(PATH, body) for _ in range(2))
        assert (first.status_code, repeat.status_code) == (201, 200)
        assert repeat["Idempotent-Replay"] == "true"
        assert repeat.json() == first.json()

    def test_to_a_stranger_it_is_404_as_if_it_were_not_there(self, charlie, said, client_of):
        answers = [
            client_of(charlie).post(PATH, {"forward_of": id_}) for id_ in (str(said.id), str(uuid.uuid4()))
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 2
        assert answers[0].json()["detail"] == answers[1].json()["detail"]

    @pytest.mark.parametrize("value", ["x", "", 5, [], {}, "0198a1b2"])
    def test_an_odd_id_is_400(self, bob, garden, client_of, value):
        answer = client_of(bob).post(PATH, {"forward_of": value})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert "forward_of" in [error["attr"] for error in answer.json()["errors"]]

    def test_null_is_none(self, bob, garden, client_of):
        answer = client_of(bob).post(PATH, {"content": "Hi", "forward_of": None})
        assert (answer.status_code, answer.json()["forwarded"]) == (201, None)

    def test_anonymous_gets_401(self, said, anonymous):
        assert anonymous.post(PATH, {"forward_of": str(said.id)}).status_code == 401

    def test_a_page_takes_one_query_more_for_what_is_forwarded_however_much_that_is(
        self, bob, said, draft_of, client_of
    ):
        def queries_of(limit):
            with CaptureQueriesContext(connection) as queries:
                assert len(client.get(PATH, {"limit": limit}).json()["results"]) == limit
            return len(queries)

        client = client_of(bob)
        services.send_message(draft_of(bob, room="garden"))
        plain = queries_of(1)
        passed_on = draft_of(bob, None, room="garden", forward_of=str(said.id))
        services.send_messages([passed_on] * 100)
        assert [queries_of(limit) for limit in (1, 10, 100)] == [plain + 1] * 3


class TestFrame:
    async def test_it_reaches_the_others_and_a_stranger_can_not(self, server: LiveServer) -> None:
        alice, bob, charlie = (Person(server, name) for name in ("alice", "bob", "charlie"))
        kitchen, garden = alice.direct_room_with(bob), bob.direct_room_with(charlie)
        message = alice.call("POST", f"/rooms/{kitchen}/messages", json={"content": "Tea?"}).json()
        data = {"room_id": garden, "forward_of": message["id"]}
        async with bob.socket() as his, charlie.socket() as theirs:
            await theirs.until("ready")
            refused = await theirs.ask("message", data)
            assert (refused["type"], refused["data"]["code"]) == ("error", "not_found")
            assert (await his.ask("message", data))["type"] == "ack"
            event = await theirs.until("message", content="Tea?")
        assert event["data"]["sender"]["id"] == bob.id
        assert event["data"]["forwarded"] == {
            "sender": message["sender"],
            "created_at": message["created_at"],
        }
