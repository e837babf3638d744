"""Deleting: who may, what is left, and that the log says no more than that."""

import uuid

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.errors import Forbidden, NotFound
from eventlog.models import Event
from friendships.services import block_user
from messaging import services
from messaging.models import Mention, Message, Pin, Reaction, Revision
from messaging.services import add_reaction, delete_message, edit_message, pin_message
from rooms.models import Room
from rooms.services import add_members, leave_room, open_direct_room
from tests.files import image, picture, upload
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db

GONE = ("content", "file_url", "file", "mentions", "reactions", "pinned_at")


def path(message):
    return f"/api/v1/messages/{message.id}"


@pytest.fixture
def message(bob, room, say):
    return say(bob, "secret", client_message_id="c-1")


class TestService:
    def test_a_tombstone_with_its_number_is_left(self, bob, message, say, shown):
        before = shown(bob, message)
        delete_message(bob.id, message_id=message.id)
        after = shown(bob, message)
        gone = {"content": "", "deleted_at": after["deleted_at"], "deleted_by": "author"}
        assert after == before | gone
        assert after["deleted_at"].endswith("Z")
        assert say(bob).seq == message.seq + 1

    def test_all_that_hung_on_it_goes(self, alice, bob, room, say, shown):
        message = say(bob, "Hi @alice", file_url="https://cloudinary.com/a.png")
        edit_message(bob.id, message_id=message.id, content="Ho @alice")
        add_reaction(alice.id, message_id=message.id, emoji="👍")
        pin_message(alice.id, message_id=message.id)
        delete_message(bob.id, message_id=message.id)
        assert [shown(bob, message)[key] for key in GONE] == ["", None, None, [], [], None]
        for model in (Revision, Reaction, Mention, Pin):
            assert not model.objects.exists()

    def test_so_does_its_file(self, alice, bob, room, say, shown, client_of):
        file = services.upload_file(bob, file=picture())
        message = say(bob, file_id=str(file.id))
        delete_message(alice.id, message_id=message.id)
        assert [shown(alice, message)[key] for key in ("file", "file_url", "type")] == [None, None, "image"]
        assert client_of(bob).get(f"/api/v1/files/{file.id}/content").status_code == 404
        assert list(services.orphans()) == [file.id]

    def test_the_event_is_exactly_this(self, bob, room, message, events_of):
        delete_message(bob.id, message_id=message.id)
        frame = events_of(room.stream)[-1]
        assert (frame["type"], frame["pos"]) == ("message.deleted", 2)
        assert frame["data"] == {
            "id": str(message.id),
            "room_id": str(room.id),
            "seq": 1,
            "deleted_by": "author",
            "deleted_at": frame["data"]["deleted_at"],
        }
        event = Event.objects.get(pos=2)
        assert (event.actor_id, event.object_id) == (bob.id, message.id)

    def test_an_admin_may_too_and_it_shows(self, alice, message, shown):
        delete_message(alice.id, message_id=message.id)
        assert shown(alice, message)["deleted_by"] == "moderator"

    def test_nobody_else_may(self, alice, bob, room, say):
        message = say(alice)
        with pytest.raises(Forbidden):
            delete_message(bob.id, message_id=message.id)
        direct, _ = open_direct_room(alice, user_id=bob.id)
        with pytest.raises(Forbidden):
            delete_message(bob.id, message_id=say(alice, room=str(direct.id)).id)
        assert not Message.objects.exclude(content="Hi").exists()

    def test_a_stranger_and_one_who_left_find_nothing(self, bob, charlie, message):
        leave_room(bob, room_key="kitchen")
        for user_id, message_id in (
            (bob.id, message.id),
            (charlie.id, message.id),
            (charlie.id, uuid.uuid4()),
        ):
            with pytest.raises(NotFound):
                delete_message(user_id, message_id=message_id)

    def test_a_repeat_changes_nothing(self, alice, bob, room, message, events_of):
        first = delete_message(bob.id, message_id=message.id)
        heard = events_of(room.stream)
        assert delete_message(bob.id, message_id=message.id) == first
        assert delete_message(alice.id, message_id=message.id) == first
        assert events_of(room.stream) == heard

    def test_what_one_said_is_ones_own_in_a_locked_room_and_between_blocked_ones(
        self, alice, bob, message, say
    ):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        to_alice = say(bob, room=str(direct.id))
        block_user(alice, user_id=bob.id)
        Room.objects.filter(id=message.room_id).update(state="archived")
        for one in (message, to_alice):
            delete_message(bob.id, message_id=one.id)
        assert not Message.objects.exclude(content="").exists()

    def test_a_repeat_of_the_send_is_the_tombstone(self, bob, message, draft_of):
        delete_message(bob.id, message_id=message.id)
        repeat = services.send_message(draft_of(bob, "secret", client_message_id="c-1"))
        assert (repeat.message.id, repeat.message.content, repeat.duplicate) == (message.id, "", True)

    def test_replies_stay_and_show_nothing_of_it(self, alice, bob, message, say, shown):
        reply = say(alice, "Really?", reply_to=str(message.id))
        delete_message(bob.id, message_id=message.id)
        after = shown(alice, reply)
        assert (after["content"], after["reply_to"]["excerpt"]) == ("Really?", "")
        assert (after["reply_to"]["id"], shown(alice, message)["reply_count"]) == (str(message.id), 1)

    def test_a_deleted_reply_is_counted_no_more_and_once(self, alice, bob, message, say, shown):
        replies = [say(alice, reply_to=str(message.id)) for _ in range(2)]
        for _ in range(2):
            delete_message(alice.id, message_id=replies[0].id)
        assert shown(alice, message)["reply_count"] == 1
        assert shown(alice, replies[0])["reply_to"]["id"] == str(message.id)

    def test_a_tombstone_may_be_answered(self, alice, bob, message, say, shown):
        delete_message(bob.id, message_id=message.id)
        reply = say(alice, "What was it?", reply_to=str(message.id))
        assert shown(alice, reply)["reply_to"]["excerpt"] == ""

    def test_what_was_unread_stays_unread(self, alice, bob, message, client_of):
        delete_message(bob.id, message_id=message.id)
        assert client_of(alice).get("/api/v1/unread").json()["total"] == 1

    @pytest.mark.django_db(transaction=True)
    def test_it_is_told_after_the_commit_and_not_at_all_after_a_rollback(
        self, bob, room, message, announced, events_of
    ):
        with transaction.atomic():
            delete_message(bob.id, message_id=message.id)
            transaction.set_rollback(True)
        assert Message.objects.get().content == events_of(room.stream)[0]["data"]["content"] == "secret"
        with transaction.atomic():
            delete_message(bob.id, message_id=message.id)
            assert announced() == []
        assert announced() == [(room.stream, "message.deleted")]

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_one_does_it(self, alice, bob, room, say, race, events_of):
        for _ in range(10):
            message = say(bob)
            outcomes = race(
                *(
                    lambda user=user: delete_message(user.id, message_id=message.id)  # noqa: B023
                    for user in (alice, bob, alice, bob)
                )
            )
            assert len({outcome.deleted_at for outcome in outcomes}) == 1
        types = [frame["type"] for frame in events_of(room.stream)]
        assert types.count("message.deleted") == 10

    @pytest.mark.django_db(transaction=True)
    def test_of_a_deletion_and_what_quotes_it_at_once_nothing_is_left(
        self, alice, bob, charlie, room, say, race
    ):
        for _ in range(10):
            message = say(bob, "secret")
            race(
                lambda: delete_message(bob.id, message_id=message.id),  # noqa: B023
                lambda: say(alice, "Yes", reply_to=str(message.id)),  # noqa: B023
                lambda: add_members(alice, room_key="kitchen", user_ids=[charlie.id]),
            )
            assert not Event.objects.filter(frame__contains="secret").exists()
            leave_room(charlie, room_key="kitchen")


class TestLog:
    """Every place keeps its event, and none of them holds what the message said."""

    def test_the_message_and_its_edits_are_tombstones(self, bob, room, say, shown, events_of):
        message = say(bob, "secret one @alice", file_url="https://cloudinary.com/secret.png")
        edit_message(bob.id, message_id=message.id, content="secret two @alice")
        before = events_of(room.stream)
        delete_message(bob.id, message_id=message.id)
        sent, edited, deleted = events_of(room.stream)
        tombstone = shown(bob, message)
        left = {key: tombstone[key] for key in (*GONE, "deleted_at", "deleted_by")}
        assert sent == before[0] | {"data": before[0]["data"] | left}
        assert edited == before[1] | {"data": before[1]["data"] | {"content": "", "mentions": []}}
        assert deleted["type"] == "message.deleted"

    def test_replies_quote_nothing_and_say_what_they_said(self, alice, bob, room, message, say, events_of):
        for number in range(3):
            say(alice, f"reply {number}", reply_to=str(message.id))
        say(alice, "secretary")
        delete_message(bob.id, message_id=message.id)
        replies = events_of(room.stream)[1:4]
        assert [frame["data"]["reply_to"]["excerpt"] for frame in replies] == [""] * 3
        assert [frame["data"]["content"] for frame in replies] == ["reply 0", "reply 1", "reply 2"]
        assert events_of(room.stream)[4]["data"]["content"] == "secretary"

    def test_rooms_that_showed_it_show_a_tombstone(self, alice, bob, charlie, message, say, events_of):
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        delete_message(bob.id, message_id=message.id)
        (joined,) = events_of(f"user:{charlie.id}")
        last = joined["data"]["room"]["last_message"]
        assert (last["id"], last["content"], last["deleted_by"]) == (str(message.id), "", "author")

    def test_rooms_that_showed_a_reply_quote_nothing(self, alice, bob, charlie, message, say, events_of):
        say(alice, "Really?", reply_to=str(message.id))
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        delete_message(bob.id, message_id=message.id)
        (joined,) = events_of(f"user:{charlie.id}")
        last = joined["data"]["room"]["last_message"]
        assert (last["content"], last["reply_to"]["excerpt"]) == ("Really?", "")

    def test_nothing_names_its_file(self, alice, bob, charlie, room, say, events_of):
        file = services.upload_file(bob, file=upload(image(), "secret.jpg"))
        message = say(bob, file_id=str(file.id))
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        delete_message(bob.id, message_id=message.id)
        for told in ("secret", str(file.id)):
            assert not Event.objects.filter(frame__contains=told).exists()
        left = events_of(room.stream)[0]["data"]
        assert [left[key] for key in ("file", "file_url", "type")] == [None, None, "image"]

    def test_places_and_types_stay(self, alice, bob, charlie, room, message, say):
        edit_message(bob.id, message_id=message.id, content="secret two")
        say(alice, reply_to=str(message.id))
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        columns = ("stream_id", "pos", "type", "actor_id", "object_id", "ends_for", "opens", "created_at")
        before = list(Event.objects.order_by("stream_id", "pos").values(*columns))
        delete_message(bob.id, message_id=message.id)
        after = list(Event.objects.order_by("stream_id", "pos").values(*columns))
        assert [row for row in after if row["type"] != "message.deleted"] == before


class TestApi:
    def test_the_answer_is_the_tombstone(self, bob, message, client_of, shown):
        answer = client_of(bob).delete(path(message))
        assert (answer.status_code, answer.json()) == (200, shown(bob, message))
        assert client_of(bob).delete(path(message)).json() == answer.json()

    def test_history_and_the_room_show_it_too(self, alice, bob, message, client_of, shown):
        delete_message(bob.id, message_id=message.id)
        client = client_of(alice)
        (in_history,) = client.get("/api/v1/rooms/kitchen/messages").json()["results"]
        assert (
            in_history == client.get("/api/v1/rooms/kitchen").json()["last_message"] == shown(alice, message)
        )

    def test_anonymous_gets_401(self, message, anonymous):
        assert anonymous.delete(path(message)).status_code == 401

    def test_a_stranger_gets_404(self, charlie, message, client_of):
        answer = client_of(charlie).delete(path(message))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_another_member_gets_403(self, alice, bob, room, say, client_of):
        answer = client_of(bob).delete(path(say(alice)))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_the_number_of_queries_does_not_grow_with_what_hangs_on_it(self, alice, bob, say, client_of):
        client, counts = client_of(bob), []
        for size in (1, 10, 80):
            message = say(bob, "secret")
            for number in range(size):
                edit_message(bob.id, message_id=message.id, content=f"secret {number}")
                say(alice, reply_to=str(message.id))
            with CaptureQueriesContext(connection) as queries:
                assert client.delete(path(message)).status_code == 200
            counts.append(len(queries))
        # Frames are written by the hundred.
        assert counts == [counts[0], counts[0], counts[0] + 1]


class TestFrame:
    async def test_the_others_get_the_event_and_a_later_resume_no_word_of_it(
        self, each_server: LiveServer
    ) -> None:
        alice, bob, charlie = (Person(each_server, name) for name in ("alice", "bob", "charlie"))
        room = alice.direct_room_with(bob)
        async with alice.socket() as mine, bob.socket() as theirs, charlie.socket() as stranger:
            for socket in (mine, theirs, stranger):
                await socket.until("ready")
            sent = await mine.ask("message", {"room_id": room, "content": "secret"})
            deletion = {"message_id": sent["data"]["message_id"]}
            for socket, data, code in (
                (theirs, deletion, "forbidden"),
                (stranger, deletion, "not_found"),
                (mine, deletion | {"content": ""}, "unknown_field"),
                (mine, {"message_id": 1}, "validation_error"),
            ):
                refused = await socket.ask("message.delete", data)
                assert (refused["type"], refused["data"]["code"]) == ("error", code)
            ack = await mine.ask("message.delete", deletion)
            event = await theirs.until("message.deleted")
            assert (ack["type"], ack["data"]) == ("ack", event["data"])
            assert (await mine.ask("message.delete", deletion))["data"] == ack["data"]
            theirs.frames.clear()
            await theirs.send("resume", {"cursors": {f"room:{room}": 0}})
            await theirs.until("resumed")
            await stranger.nothing_for()
        assert [frame["type"] for frame in theirs.frames] == ["message", "message.deleted", "resumed"]
        assert theirs.frames[0]["data"]["content"] == ""
