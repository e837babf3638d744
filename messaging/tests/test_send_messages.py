"""Numbers, order, who may, what the room gets; content, repeats and frames are in the files beside this one."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.errors import NotFound, ValidationFailed
from eventlog.models import Event
from messaging import schemas, services
from messaging.models import Message
from rooms.models import Membership, Room
from rooms.services import add_members, create_room, leave_room, open_direct_room, remove_member

pytestmark = pytest.mark.django_db


class TestService:
    def test_seq_and_pos_count_from_1(self, alice, bob, room, say):
        sent = [say(user) for user in (alice, bob, alice)]
        assert [(message.seq, message.pos) for message in sent] == [(1, 1), (2, 2), (3, 3)]
        assert list(Message.objects.order_by("id").values_list("seq", "pos")) == [(1, 1), (2, 2), (3, 3)]

    def test_pos_counts_every_event_and_seq_only_messages(self, alice, bob, room, say):
        say(alice)
        leave_room(bob, room_key="kitchen")
        message = say(alice)
        assert (message.seq, message.pos) == (2, 3)

    def test_the_ack_tells_where_it_is(self, alice, room, say):
        message = say(alice, client_message_id="c-1")
        ack = schemas.sent_message(message, duplicate=False)
        assert (ack.message_id, ack.room_id, ack.seq, ack.pos) == (message.id, room.id, 1, 1)
        assert (ack.client_message_id, ack.duplicate) == ("c-1", False)
        assert ack.created_at.endswith("Z")

    def test_who_sends_has_read_what_came_before(self, alice, bob, room, say):
        for user in (alice, alice, bob):
            say(user)
        read = dict(Membership.objects.values_list("user__username", "last_read_seq"))
        assert read == {"alice": 2, "bob": 3}

    def test_the_room_moves_with_it(self, alice, room, say):
        before = room.last_activity_at
        message = say(alice)
        room.refresh_from_db()
        assert (room.last_seq, room.last_message_id) == (1, message.id)
        assert room.last_activity_at == message.created_at > before

    @pytest.mark.parametrize(
        ("file_url", "type_"),
        [
            (None, "text"),
            ("https://cloudinary.com/a.PNG", "image"),
            ("https://cloudinary.com/a.mp4?x=.png", "video"),
            ("https://cloudinary.com/a.mp3", "audio"),
            ("https://cloudinary.com/a.pdf", "file"),
            ("https://cloudinary.com", "file"),
        ],
    )
    def test_its_type_is_that_of_its_file(self, alice, room, say, file_url, type_):
        assert say(alice, file_url=file_url).type == type_

    def test_a_batch_over_many_rooms_and_senders_keeps_each_senders_order(self, alice, bob, room, draft_of):
        keys = ["kitchen", str(room.id), create_room(bob, name="B", slug="bath", member_ids=[alice.id]).slug]
        drafts = [
            draft_of(user, f"{user.username} {number}", room=keys[(number + shift) % 3])
            for number in range(12)
            for shift, user in enumerate((alice, bob))
        ]
        sent = services.send_messages(drafts)
        assert [outcome.message.content for outcome in sent] == [draft.content for draft in drafts]
        for name, slug in (("alice", "kitchen"), ("bob", "kitchen"), ("alice", "bath"), ("bob", "bath")):
            rows = Message.objects.filter(room__slug=slug, sender__username=name).order_by("seq")
            numbers = [int(content.split()[1]) for content in rows.values_list("content", flat=True)]
            assert numbers == sorted(numbers)
        for slug, count in (("kitchen", 16), ("bath", 8)):
            seqs = Message.objects.filter(room__slug=slug).order_by("seq").values_list("seq", "pos")
            assert list(seqs) == [(number, number) for number in range(1, count + 1)]
            assert Room.objects.get(slug=slug).last_seq == count

    def test_a_bad_draft_does_not_harm_the_others(self, alice, bob, charlie, room, draft_of):
        outcomes = services.send_messages(
            [
                draft_of(alice, "one"),
                draft_of(alice, " "),
                draft_of(charlie, "not yours"),
                draft_of(bob, "two"),
                draft_of(bob, "nowhere", room="attic"),
                draft_of(bob, "reply", reply_to=str(room.id)),
                draft_of(alice, "three"),
            ]
        )
        assert [type(outcome) for outcome in outcomes] == [
            services.Sent,
            ValidationFailed,
            NotFound,
            services.Sent,
            NotFound,
            NotFound,
            services.Sent,
        ]
        kept = Message.objects.order_by("seq").values_list("seq", "content")
        assert list(kept) == [(1, "one"), (2, "two"), (3, "three")]

    def test_nothing_but_bad_drafts_is_no_query(self, alice, draft_of, django_assert_num_queries):
        with django_assert_num_queries(0):
            outcomes = services.send_messages([draft_of(alice, ""), draft_of(alice, None)])
        assert [type(outcome) for outcome in outcomes] == [ValidationFailed] * 2
        assert services.send_messages([]) == []

    def test_a_reply_shows_what_it_answers(self, alice, bob, room, say):
        first = say(alice, "x" * 200)
        reply = say(bob, "Yes", reply_to=str(first.id).upper())
        shown = schemas.message(reply).reply_to
        assert (shown.id, shown.seq, shown.sender.username) == (first.id, 1, "alice")
        assert shown.excerpt == "x" * 120

    def test_replies_are_counted(self, alice, bob, room, say, draft_of):
        first, second = say(alice), say(alice)
        say(bob, reply_to=str(first.id))
        to = [first, second, first]
        services.send_messages([draft_of(bob, reply_to=str(message.id)) for message in to])
        assert dict(Message.objects.filter(reply_to=None).values_list("id", "reply_count")) == {
            first.id: 3,
            second.id: 1,
        }

    def test_a_reply_to_a_message_of_another_room_or_to_none_is_not_found(self, alice, bob, room, say):
        other = open_direct_room(alice, user_id=bob.id)[0]
        elsewhere = say(alice, room=str(other.id))
        for reply_to in (str(elsewhere.id), "0198a1b2-0000-7000-8000-000000000001"):
            with pytest.raises(NotFound):
                say(alice, reply_to=reply_to)
        assert Message.objects.get().reply_count == 0

    def test_a_stranger_and_one_who_left_find_no_room(self, alice, bob, charlie, room, say):
        say(bob, room=str(room.id))
        remove_member(alice, room_key="kitchen", user_id=bob.id)
        for user in (bob, charlie):
            for key in ("kitchen", str(room.id)):
                with pytest.raises(NotFound):
                    say(user, room=key)
        assert Message.objects.count() == 1

    def test_the_event_is_the_message_and_the_rooms_slug(self, alice, room, say, events_of):
        message = say(alice, "Hi", client_message_id="c-1")
        (frame,) = events_of(room.stream)
        sent_at = schemas.message(message).created_at
        card = {
            "id": str(alice.id),
            "username": "alice",
            "display_name": "alice",
            "avatar_url": None,
            "is_bot": False,
        }
        assert frame == {
            "type": "message",
            "stream": room.stream,
            "pos": 1,
            "ts": frame["ts"],
            "data": {
                "id": str(message.id),
                "room_id": str(room.id),
                "room_slug": "kitchen",
                "seq": 1,
                "type": "text",
                "content": "Hi",
                "file_url": None,
                "file": None,
                "sender": card,
                "reply_to": None,
                "reply_count": 0,
                "forwarded": None,
                "mentions": [],
                "reactions": [],
                "client_message_id": "c-1",
                "edited_at": None,
                "deleted_at": None,
                "deleted_by": None,
                "pinned_at": None,
                "created_at": sent_at,
            },
        }
        event = Event.objects.get(stream__name=room.stream)
        assert (event.actor_id, event.object_id) == (alice.id, message.id)

    @pytest.mark.django_db(transaction=True)
    def test_events_are_told_after_the_commit_only(self, alice, room, say, committed):
        with transaction.atomic():
            say(alice)
            assert [event.type for event in committed] == []
        assert [(event.type, event.stream, event.pos) for event in committed] == [("message", room.stream, 1)]

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, alice, room, say, committed, events_of):
        with transaction.atomic():
            say(alice)
            transaction.set_rollback(True)
        assert (committed, events_of(room.stream), Message.objects.count()) == ([], [], 0)
        room.refresh_from_db()
        assert (room.last_seq, room.last_message_id) == (0, None)
        assert say(alice).seq == 1

    @pytest.mark.django_db(transaction=True)
    def test_many_who_send_at_once_leave_no_gap(self, alice, bob, room, say, race):
        for _ in range(5):
            race(*(lambda user=user: say(user) for user in (alice, bob, alice, bob)))
        rows = Message.objects.order_by("seq").values_list("seq", "pos")
        assert list(rows) == [(number, number) for number in range(1, 21)]

    @pytest.mark.django_db(transaction=True)
    def test_one_who_is_removed_meanwhile_says_nothing_after_it(self, alice, bob, room, say, race):
        for turn in range(10):
            removal, sent = race(
                lambda: remove_member(alice, room_key="kitchen", user_id=bob.id),
                lambda turn=turn: say(bob, str(turn)),
            )
            assert removal is None
            left_pos = Membership.objects.get(user=bob).left_pos
            assert isinstance(sent, NotFound) or sent.pos < left_pos
            add_members(alice, room_key="kitchen", user_ids=[bob.id])

    def test_a_batch_of_any_size_takes_as_many_statements_as_one(self, alice, bob, room, say, draft_of):
        parents = [say(alice) for _ in range(50)]

        def count(size):
            drafts = [
                draft_of((alice, bob)[n % 2], client_message_id=f"{size}-{n}", reply_to=str(parents[n].id))
                for n in range(size)
            ]
            with CaptureQueriesContext(connection) as queries:
                sent = services.send_messages(drafts)
            assert all(isinstance(outcome, services.Sent) for outcome in sent)
            return len(queries)

        assert count(1) == count(10) == count(50)

    def test_so_does_one_to_many_rooms_of_many_senders(self, alice, draft_of):
        people = [User.objects.create_user(f"user{n}", f"user{n}@example.com") for n in range(50)]
        rooms = [create_room(alice, name="R", member_ids=[person.id]) for person in people]

        def count(size):
            drafts = [draft_of(people[n], room=str(rooms[n].id)) for n in range(size)]
            with CaptureQueriesContext(connection) as queries:
                sent = services.send_messages(drafts)
            assert [outcome.message.sender for outcome in sent] == people[:size]
            return len(queries)

        assert count(1) == count(10) == count(50)


class TestApi:
    def test_a_message_is_made_and_shown_whole(self, alice, room, client_of, events_of):
        body = {"content": "Hi", "file_url": "https://cloudinary.com/a.png", "client_message_id": "c-1"}
        answer = client_of(alice).post("/api/v1/rooms/kitchen/messages", body)
        assert answer.status_code == 201
        assert "Idempotent-Replay" not in answer.headers
        (frame,) = events_of(room.stream)
        assert answer.json() | {"room_slug": "kitchen"} == frame["data"]
        assert body.items() <= answer.json().items()

    def test_the_room_may_be_named_by_its_id(self, alice, room, client_of):
        answer = client_of(alice).post(f"/api/v1/rooms/{room.id}/messages", {"content": "Hi"})
        assert (answer.status_code, answer.json()["room_id"]) == (201, str(room.id))

    def test_null_is_the_same_as_not_there(self, alice, room, client_of):
        body = {
            "content": "Hi",
            "file_url": None,
            "file_id": None,
            "reply_to": None,
            "client_message_id": None,
        }
        assert client_of(alice).post("/api/v1/rooms/kitchen/messages", body).status_code == 201

    def test_anonymous_gets_401(self, room, anonymous):
        answer = anonymous.post("/api/v1/rooms/kitchen/messages", {"content": "Hi"})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize("key", ["kitchen", "attic", "0198a1b2-0000-7000-8000-000000000001"])
    def test_a_stranger_gets_404(self, charlie, room, client_of, key):
        answer = client_of(charlie).post(f"/api/v1/rooms/{key}/messages", {"content": "Hi"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize("key", ["seq", "sender", "room_id", "type"])
    def test_an_unknown_key_is_400(self, alice, room, client_of, key):
        answer = client_of(alice).post("/api/v1/rooms/kitchen/messages", {"content": "Hi", key: "x"})
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field")
        assert not Message.objects.exists()
