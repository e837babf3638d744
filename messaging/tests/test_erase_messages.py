"""What becomes of messages when who said them is erased: without a name, or not there any more."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services import erase_users
from core.errors import SessionRevoked
from eventlog.models import Event
from messaging import services
from messaging.models import File, Mention, Message, Reaction, Revision
from messaging.services import erasing as steps
from rooms.services import add_members, create_room, leave_room, open_direct_room
from tests.cards import erased, in_the_log
from tests.files import upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_erasures_end")]

ROUNDS = 4


@pytest.fixture
def is_kept(settings):
    return lambda file: Path(settings.MEDIA_ROOT, file.stored_as).exists()


def page_of(client, room):
    return client.get(f"/api/v1/rooms/{room.id}/messages").json()["results"]


class TestKeep:
    def test_what_was_said_stays_and_nobody_has_said_it(self, alice, bob, room, say, erase, client_of):
        first = say(bob, "Hi")
        say(alice, "Hello", reply_to=str(first.id))
        left = erase(bob)
        answer, message = page_of(client_of(alice), room)
        assert (message["content"], message["seq"]) == ("Hi", 1)
        assert message["sender"] == {
            "id": str(bob.id),
            "username": left.username,
            "display_name": "Deleted user",
            "avatar_url": None,
            "is_bot": False,
        }
        assert answer["reply_to"]["sender"] == message["sender"]

    def test_every_frame_names_nobody_and_has_its_place(
        self, alice, bob, charlie, room, say, erase, events_of
    ):
        first = say(bob, "Hi")
        say(alice, "Hello", reply_to=str(first.id))
        services.edit_message(bob.id, message_id=first.id, content="Hi there")
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        say(charlie, None, forward_of=str(first.id))
        before = events_of(room.stream)
        left = erase(bob)
        assert in_the_log(bob) == {left.username}
        after = events_of(room.stream)
        assert [(frame["pos"], frame["type"]) for frame in after[: len(before)]] == [
            (frame["pos"], frame["type"]) for frame in before
        ]
        assert after[0]["data"]["content"] == "Hi"

    def test_a_room_where_the_user_never_was_names_them_no_more(
        self, alice, bob, charlie, say, erase, events_of
    ):
        said = say(bob, "Hi")
        garage = create_room(alice, name="Garage", member_ids=[charlie.id])
        passed_on = say(alice, None, forward_of=str(said.id), room=str(garage.id))
        again = say(charlie, None, forward_of=str(passed_on.id), room=str(garage.id))
        add_members(alice, room_key=str(garage.id), user_ids=[User.objects.create_user("dora", "d@x.org").id])
        left = erase(bob)
        assert in_the_log(bob) == {left.username}
        assert {frame["data"]["content"] for frame in events_of(garage.stream)[:2]} == {"Hi"}
        assert Message.objects.get(id=again.id).forwarded_sender_id == bob.id

    def test_messages_of_rooms_that_were_left_before(self, bob, room, say, erase):
        say(bob, "Hi")
        leave_room(bob, room_key="kitchen")
        left = erase(bob)
        assert in_the_log(bob) == {left.username}

    def test_reactions_stay(self, alice, bob, room, say, erase):
        message = say(alice, "Hi")
        services.add_reaction(bob.id, message_id=message.id, emoji="👍")
        erase(bob)
        assert Reaction.objects.get().user_id == bob.id

    def test_pages_and_windows_miss_none(self, alice, bob, charlie, room, say, erase, monkeypatch):
        monkeypatch.setattr(steps, "STEP", 2)
        monkeypatch.setattr(steps, "PAGE", 3)
        monkeypatch.setattr(steps, "WINDOW", 4)
        garage = create_room(alice, name="Garage", member_ids=[charlie.id])
        for number in range(10):
            said = say(bob, str(number))
            for _ in range(2):
                say(alice, "re", reply_to=str(said.id))
            say(alice, None, forward_of=str(said.id), room=str(garage.id))
        left = erase(bob)
        assert in_the_log(bob) == {left.username}


class TestErase:
    def test_each_message_is_a_tombstone_of_its_author(
        self, alice, bob, room, say, erase, client_of, events_of
    ):
        mine = say(bob, "secret, @alice")
        services.edit_message(bob.id, message_id=mine.id, content="secret again, @alice")
        say(alice, "hers", reply_to=str(mine.id))
        services.pin_message(alice.id, message_id=mine.id)
        erase(bob, messages=True)
        hers, his = page_of(client_of(alice), room)
        assert (his["seq"], his["content"], his["deleted_by"], his["pinned_at"]) == (1, "", "author", None)
        assert (hers["content"], hers["reply_to"]["excerpt"]) == ("hers", "")
        assert not Revision.objects.exists()
        assert not Mention.objects.exists()
        deleted = [frame for frame in events_of(room.stream) if frame["type"] == "message.deleted"]
        assert [frame["data"]["id"] for frame in deleted] == [str(mine.id)]
        assert not Event.objects.filter(frame__contains="secret").exists()

    def test_also_in_direct_rooms_and_in_rooms_that_were_left(self, alice, bob, room, say, erase):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        say(bob, "one", room=str(direct.id))
        say(bob, "two")
        leave_room(bob, room_key="kitchen")
        erase(bob, messages=True)
        assert set(Message.objects.values_list("content", flat=True)) == {""}
        assert not Event.objects.filter(frame__contains='"content":"two"').exists()

    def test_reactions_are_taken_back(self, alice, bob, room, say, erase, events_of):
        message = say(alice, "Hi")
        for user in (alice, bob):
            services.add_reaction(user.id, message_id=message.id, emoji="👍")
        erase(bob, messages=True)
        assert [reaction.user for reaction in Reaction.objects.all()] == [alice]
        message.refresh_from_db()
        assert message.reaction_count == 1
        (taken,) = (frame for frame in events_of(room.stream) if frame["type"] == "reaction.removed")
        assert (taken["data"]["user_id"], taken["data"]["count"]) == (str(bob.id), 1)

    def test_what_others_passed_on_is_theirs_and_loses_the_name_only(
        self, alice, bob, room, say, erase, client_of, is_kept
    ):
        file = services.upload_file(bob, file=upload(b"Hi"))
        said = say(bob, "look", file_id=str(file.id))
        say(alice, None, forward_of=str(said.id))
        left = erase(bob, messages=True)
        passed_on, gone = page_of(client_of(alice), room)
        assert (passed_on["content"], passed_on["file"]["id"]) == ("look", str(file.id))
        assert passed_on["forwarded"]["sender"]["username"] == left.username
        assert (gone["content"], gone["file"]) == ("", None)
        assert is_kept(file)
        assert in_the_log(bob) == {left.username}

    def test_files_go_at_once(self, bob, room, say, erase, is_kept):
        file = services.upload_file(bob, file=upload(b"Hi"))
        say(bob, file_id=str(file.id))
        erase(bob, messages=True)
        assert not is_kept(file)
        assert not File.objects.exists()


class TestFiles:
    def test_what_was_never_sent_goes_at_once_and_what_was_sent_stays(self, bob, room, say, erase, is_kept):
        sent, unsent = (services.upload_file(bob, file=upload(b"Hi")) for _ in range(2))
        say(bob, file_id=str(sent.id))
        erase(bob)
        assert (is_kept(sent), is_kept(unsent)) == (True, False)
        assert [file.id for file in File.objects.all()] == [sent.id]

    def test_where_the_store_fails_the_next_collection_has_them(self, bob, cloudinary, erase):
        services.upload_file(bob, file=upload(b"Hi"))
        cloudinary.failing = 500
        erase(bob)
        cloudinary.failing = None
        assert [services.collect_file(file_id) for file_id in services.orphans()] == [True]
        assert cloudinary.kept == {}

    def test_one_that_is_on_its_way_still_is_left_to_the_next_collection(self, bob, erase):
        file = services.upload_file(bob, file=upload(b"Hi"))
        File.objects.update(completed_at=None)
        erase(bob)
        assert list(services.orphans()) == []
        File.objects.update(unsent_since=timezone.now() - timedelta(days=2))
        assert list(services.orphans()) == [file.id]


class TestMeanwhile:
    def test_the_user_sends_nothing_any_more(self, alice, bob, draft_of, say, erase):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        theirs = say(alice, "Hi", room=str(direct.id))
        erase(bob)
        (outcome,) = services.send_messages([draft_of(bob, room=str(direct.id))])
        assert isinstance(outcome, SessionRevoked)
        with pytest.raises(SessionRevoked):
            services.add_reaction(bob.id, message_id=theirs.id, emoji="👍")

    @pytest.mark.parametrize("messages", [False, True])
    def test_whatever_is_said_at_the_same_moment_no_name_and_no_word_is_left(
        self, alice, bob, charlie, room, draft_of, race, messages
    ):
        garage = create_room(alice, name="Garage", member_ids=[charlie.id])
        for _ in range(ROUNDS):
            dora = User.objects.create_user("dora", "dora@example.com")
            add_members(alice, room_key="kitchen", user_ids=[dora.id])
            direct, _ = open_direct_room(dora, user_id=bob.id)
            said = services.send_message(draft_of(dora, "secret")).message
            told = services.send_message(draft_of(dora, "secret", room=str(direct.id))).message

            def speak(dora=dora, direct=direct):
                for _ in range(5):
                    services.send_messages(
                        [draft_of(dora, "secret"), draft_of(dora, "secret", room=str(direct.id))]
                    )

            def answer(said=said):
                for _ in range(5):
                    services.send_messages([draft_of(alice, reply_to=str(said.id))])

            def pass_on(said=said):
                for _ in range(5):
                    services.send_messages(
                        [draft_of(alice, None, forward_of=str(said.id), room=str(garage.id))]
                    )

            def edit(dora=dora, told=told):
                services.edit_message(dora.id, message_id=told.id, content="secret, too")

            race(
                partial(erase_users, [dora], erases_messages=messages),
                speak,
                answer,
                pass_on,
                edit,
                partial(services.delete_message, alice.id, message_id=said.id),
            )
            left = erased(dora)
            assert in_the_log(dora) == {left.username}
            assert messages is not Message.objects.filter(sender=dora, content__contains="secret").exists()
        if messages:
            in_frames = Event.objects.filter(frame__contains="secret").values_list("object_id", flat=True)
            passed_on = Message.objects.exclude(forwarded_sender=None).values_list("id", flat=True)
            assert set(in_frames) <= set(passed_on)
