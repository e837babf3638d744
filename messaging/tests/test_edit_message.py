"""Editing: who may, until when, what is kept, and what the room gets."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from core.errors import (
    Blocked,
    Conflict,
    EditWindowClosed,
    Forbidden,
    Muted,
    NotFound,
    RoomLocked,
    ValidationFailed,
)
from eventlog.models import Event
from friendships.services import block_user
from messaging import services
from messaging.models import Message, Revision
from messaging.services import delete_message, edit_message
from rooms.models import Membership, Room
from rooms.services import leave_room, open_direct_room
from tests.files import picture
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db


def path(message):
    return f"/api/v1/messages/{message.id}"


@pytest.fixture
def message(alice, room, say):
    return say(alice, "one", client_message_id="c-1")


class TestService:
    def test_it_says_something_else_from_then_on(self, alice, message):
        edit_message(alice.id, message_id=message.id, content="two")
        message.refresh_from_db()
        assert (message.content, message.seq) == ("two", 1)
        assert message.edited_at > message.created_at

    def test_what_it_said_is_kept(self, alice, message):
        for content in ("two", "three"):
            edit_message(alice.id, message_id=message.id, content=content)
        kept = list(Revision.objects.order_by("id").values_list("content", "edited_at"))
        assert [content for content, _ in kept] == ["one", "two"]
        assert kept[1][1] == Message.objects.get().edited_at

    def test_the_event_is_exactly_this(self, alice, room, message, events_of):
        edit_message(alice.id, message_id=message.id, content="two")
        frame = events_of(room.stream)[-1]
        assert (frame["type"], frame["pos"]) == ("message.updated", 2)
        assert frame["data"] == {
            "id": str(message.id),
            "room_id": str(room.id),
            "seq": 1,
            "content": "two",
            "mentions": [],
            "edited_at": frame["data"]["edited_at"],
        }
        event = Event.objects.get(pos=2)
        assert (event.actor_id, event.object_id) == (alice.id, message.id)

    def test_the_same_content_again_changes_nothing(self, alice, bob, room, say, events_of):
        message = say(alice, "Hi @bob")
        heard = events_of(room.stream)
        same = edit_message(alice.id, message_id=message.id, content="Hi @bob")
        assert (same.content, same.mentions, same.edited_at) == ("Hi @bob", [bob.id], None)
        assert events_of(room.stream) == heard
        assert not Revision.objects.exists()

    def test_only_its_author_may(self, alice, bob, room, say):
        with pytest.raises(Forbidden):
            edit_message(alice.id, message_id=say(bob).id, content="Ho")

    def test_a_stranger_and_one_who_left_find_nothing(self, bob, charlie, room, say):
        message = say(bob)
        leave_room(bob, room_key="kitchen")
        for user in (bob, charlie):
            with pytest.raises(NotFound):
                edit_message(user.id, message_id=message.id, content="Ho")
        with pytest.raises(NotFound):
            edit_message(bob.id, message_id=uuid.uuid4(), content="Ho")

    def test_a_stranger_locks_no_room(self, charlie, message, django_assert_num_queries):
        with django_assert_num_queries(2), pytest.raises(NotFound):
            edit_message(charlie.id, message_id=message.id, content="Ho")

    def test_the_window_closes(self, alice, message, settings):
        sent_at = message.created_at - timedelta(seconds=settings.EDIT_WINDOW_SECONDS)
        Message.objects.update(created_at=sent_at + timedelta(seconds=60))
        edit_message(alice.id, message_id=message.id, content="two")
        Message.objects.update(created_at=sent_at)
        with pytest.raises(EditWindowClosed):
            edit_message(alice.id, message_id=message.id, content="three")

    @pytest.mark.parametrize("content", ["", " \n", "\u200b", "x" * 4001])
    def test_the_rules_are_those_of_sending(self, alice, message, content):
        with pytest.raises(ValidationFailed) as raised:
            edit_message(alice.id, message_id=message.id, content=content)
        assert [error.attr for error in raised.value.errors] == ["content"]

    def test_beside_a_file_the_text_may_go(self, alice, room, say):
        message = say(alice, "Look", file_url="https://cloudinary.com/a.png")
        assert edit_message(alice.id, message_id=message.id, content="").content == ""

    def test_beside_an_upload_too_and_that_stays(self, alice, room, say, shown):
        file = services.upload_file(alice, file=picture())
        message = say(alice, "Look", file_id=str(file.id))
        edit_message(alice.id, message_id=message.id, content="")
        after = shown(alice, message)
        assert (after["content"], after["file"]["id"], after["type"]) == ("", str(file.id), "image")

    def test_a_deleted_one_stays_deleted(self, alice, message):
        delete_message(alice.id, message_id=message.id)
        with pytest.raises(Conflict):
            edit_message(alice.id, message_id=message.id, content="two")
        assert not Revision.objects.exists()

    @pytest.mark.parametrize("state", ["locked", "archived"])
    def test_not_in_a_locked_room(self, bob, room, say, state):
        message = say(bob)
        Room.objects.update(state=state)
        with pytest.raises(RoomLocked):
            edit_message(bob.id, message_id=message.id, content="two")

    def test_not_while_muted(self, bob, room, say):
        message = say(bob)
        Membership.objects.filter(user=bob).update(silenced_until=timezone.now() + timedelta(hours=1))
        with pytest.raises(Muted):
            edit_message(bob.id, message_id=message.id, content="two")

    def test_not_between_two_of_whom_one_has_blocked_the_other(self, alice, bob, say):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        message = say(alice, room=str(direct.id))
        block_user(bob, user_id=alice.id)
        with pytest.raises(Blocked):
            edit_message(alice.id, message_id=message.id, content="two")

    def test_a_repeat_of_the_send_is_still_that_message(self, alice, message, draft_of):
        edit_message(alice.id, message_id=message.id, content="two")
        repeat = services.send_message(draft_of(alice, "one", client_message_id="c-1"))
        assert (repeat.message.id, repeat.message.content, repeat.duplicate) == (message.id, "two", True)

    def test_replies_show_what_it_says_now(self, alice, bob, message, say, shown):
        reply = say(bob, "Yes", reply_to=str(message.id))
        edit_message(alice.id, message_id=message.id, content="two")
        assert shown(bob, reply)["reply_to"]["excerpt"] == "two"

    @pytest.mark.django_db(transaction=True)
    def test_it_is_told_after_the_commit_and_not_at_all_after_a_rollback(self, alice, message, announced):
        with transaction.atomic():
            edit_message(alice.id, message_id=message.id, content="two")
            transaction.set_rollback(True)
        assert Message.objects.get().content == "one"
        assert announced() == []
        with transaction.atomic():
            edit_message(alice.id, message_id=message.id, content="two")
            assert announced() == []
        assert announced() == [(message.room.stream, "message.updated")]

    @pytest.mark.django_db(transaction=True)
    def test_of_two_at_once_the_later_event_is_what_it_says(self, alice, room, message, race, events_of):
        for turn in range(10):
            race(
                *(
                    lambda text=text: edit_message(alice.id, message_id=message.id, content=text)
                    for text in (f"a{turn}", f"b{turn}")
                )
            )
        said = [frame["data"]["content"] for frame in events_of(room.stream)]
        assert said[-1] == Message.objects.get().content
        assert list(Revision.objects.order_by("id").values_list("content", flat=True)) == said[:-1]

    @pytest.mark.django_db(transaction=True)
    def test_of_an_edit_and_a_deletion_at_once_nothing_is_left(self, alice, room, say, race, events_of):
        for turn in range(10):
            message = say(alice, f"secret {turn}")
            race(
                lambda: edit_message(alice.id, message_id=message.id, content="secret"),  # noqa: B023
                lambda: delete_message(alice.id, message_id=message.id),  # noqa: B023
            )
            assert Message.objects.get(id=message.id).content == ""
        assert not Revision.objects.exists()
        assert "secret" not in str(events_of(room.stream))


class TestApi:
    def test_the_answer_is_the_message_as_it_is_now(self, alice, message, client_of, shown):
        answer = client_of(alice).patch(path(message), {"content": "two"})
        assert answer.status_code == 200
        assert answer.json() == shown(alice, message)
        assert (answer.json()["content"], answer.json()["client_message_id"]) == ("two", "c-1")
        assert answer.json()["edited_at"].endswith("Z")

    def test_anonymous_gets_401(self, message, anonymous):
        assert anonymous.patch(path(message), {"content": "two"}).status_code == 401

    def test_a_stranger_gets_404(self, charlie, message, client_of):
        answer = client_of(charlie).patch(path(message), {"content": "two"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_another_member_gets_403(self, bob, message, client_of):
        answer = client_of(bob).patch(path(message), {"content": "two"})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_after_the_window_it_is_409(self, alice, message, client_of):
        Message.objects.update(created_at=message.created_at - timedelta(days=2))
        answer = client_of(alice).patch(path(message), {"content": "two"})
        assert (answer.status_code, answer.json()["code"]) == (409, "edit_window_closed")

    def test_a_deleted_one_is_409(self, alice, message, client_of):
        delete_message(alice.id, message_id=message.id)
        answer = client_of(alice).patch(path(message), {"content": "two"})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "validation_error"),
            ({"content": None}, "validation_error"),
            ({"content": 5}, "validation_error"),
            ({"content": ""}, "validation_error"),
            ({"content": "x" * 4001}, "validation_error"),
            ({"content": "two", "file_url": None}, "unknown_field"),
            ({"content": "two", "seq": 2}, "unknown_field"),
        ],
    )
    def test_an_odd_body_is_400(self, alice, message, client_of, body, code):
        answer = client_of(alice).patch(path(message), body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert Message.objects.get().content == "one"

    def test_the_number_of_queries_does_not_grow(self, alice, room, say, client_of):
        people = [User.objects.create_user(f"dora{n}", f"dora{n}@example.com") for n in range(20)]
        for person in people:
            room.memberships.create(user=person)
        client, counts = client_of(alice), []
        for names in (1, 10, 20):
            message = say(alice, "one")
            for number in range(names):
                edit_message(alice.id, message_id=message.id, content=f"{number}")
            every = " ".join(f"@{person.username}" for person in people[:names])
            with CaptureQueriesContext(connection) as queries:
                answer = client.patch(path(message), {"content": every})
            assert len(answer.json()["mentions"]) == names
            counts.append(len(queries))
        assert len(set(counts)) == 1


class TestFrame:
    async def test_the_others_get_the_event_and_the_author_an_ack_that_says_the_same(
        self, each_server: LiveServer
    ) -> None:
        alice, bob, charlie = (Person(each_server, name) for name in ("alice", "bob", "charlie"))
        room = alice.direct_room_with(bob)
        message = alice.call("POST", f"/rooms/{room}/messages", json={"content": "one"}).json()
        edit = {"message_id": message["id"], "content": "two"}
        async with alice.socket() as mine, bob.socket() as theirs, charlie.socket() as stranger:
            for socket in (mine, theirs, stranger):
                await socket.until("ready")
            ack = await mine.ask("message.edit", edit)
            event = await theirs.until("message.updated")
            assert (ack["type"], ack["data"]) == ("ack", event["data"])
            assert event["data"]["content"] == "two"
            for socket, data, code in (
                (theirs, edit, "forbidden"),
                (stranger, edit, "not_found"),
                (mine, edit | {"content": " "}, "validation_error"),
                (mine, edit | {"content": None}, "validation_error"),
                (mine, edit | {"message_id": "x"}, "validation_error"),
                (mine, {"content": "two"}, "validation_error"),
                (mine, edit | {"room_id": room}, "unknown_field"),
            ):
                refused = await socket.ask("message.edit", data)
                assert (refused["type"], refused["data"]["code"]) == ("error", code)
                assert refused["data"]["request"] == {"type": "message.edit"}
            await stranger.nothing_for()
        assert bob.call("GET", f"/messages/{message['id']}").json()["content"] == "two"
