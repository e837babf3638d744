"""Reacting: once per user and emoji, and what an emoji is."""

import uuid
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.errors import Blocked, Conflict, NotFound, RoomLocked, ValidationFailed
from eventlog.models import Event
from friendships.services import block_user
from messaging.models import Reaction
from messaging.services import add_reaction, delete_message, remove_reaction
from rooms.models import Room
from rooms.services import leave_room, open_direct_room
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db

EMOJI = [
    *("👍", "😀", "🎉", "⭐", "🫩", "🫪"),
    *("❤️", "☠️", "✈️", "©️", "🅰️"),
    *("👍🏻", "👍🏿", "☝🏽", "✍🏾"),
    *("👩‍👩‍👧‍👦", "🏳️‍🌈", "🏴‍☠️", "👩🏽‍🚀", "🕵🏻‍♂️", "❤️‍🔥", "👩🏻‍❤️‍💋‍👨🏿"),
    *("🇩🇪", "🇺🇳", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "#️⃣", "*️⃣", "1️⃣"),
]
NO_EMOJI = [
    *("", " ", "a", "1", "#", "ok", "é", ":+1:", "☙", "♔", "中", "\u200d", "\ufe0f"),
    *("👍👍", "👍 ", " 👍", "👍a", "👍\u200d", "\u200d👍", "👍\u0301", "👍\n", "👍\ufe0f\ufe0f", "👍🏻🏻"),
    *("🏻", "🇩", "🇩🇪🇫", "🇩🇪🇫🇷", "1⃣2", "\u20e3", "👍\u200d1", "🏴\U000e0067", "👍\u0000"),
    "\u200d".join("👩" * 17),
    "\u200d".join("❤" * 16),
    "👍" * 5000,
]


def path(message, emoji):
    return f"/api/v1/messages/{message.id}/reactions/{quote(emoji)}"


@pytest.fixture
def message(alice, room, say):
    return say(alice)


class TestService:
    def test_each_counts_once_for_each_user(self, alice, bob, message):
        counts = [
            add_reaction(user.id, message_id=message.id, emoji=emoji).count
            for user, emoji in ((alice, "👍"), (bob, "👍"), (bob, "👎"))
        ]
        assert counts == [1, 2, 1]

    def test_a_repeat_changes_nothing(self, bob, room, message, events_of):
        first = add_reaction(bob.id, message_id=message.id, emoji="👍")
        heard = events_of(room.stream)
        assert add_reaction(bob.id, message_id=message.id, emoji="👍") == first
        assert events_of(room.stream) == heard
        assert Reaction.objects.count() == 1

    def test_the_event_is_exactly_this(self, bob, room, message, events_of):
        add_reaction(bob.id, message_id=message.id, emoji="👍")
        frame = events_of(room.stream)[-1]
        assert (frame["type"], frame["pos"]) == ("reaction.added", 2)
        assert frame["data"] == {
            "message_id": str(message.id),
            "room_id": str(room.id),
            "seq": 1,
            "emoji": "👍",
            "user_id": str(bob.id),
            "count": 1,
        }
        event = Event.objects.get(pos=2)
        assert (event.actor_id, event.object_id) == (bob.id, message.id)

    @pytest.mark.parametrize("emoji", EMOJI, ids=ascii)
    def test_an_emoji_is_kept_as_it_is(self, bob, message, emoji):
        assert add_reaction(bob.id, message_id=message.id, emoji=emoji).emoji == emoji
        assert Reaction.objects.get().emoji == emoji

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [("❤", "❤️"), ("👍\ufe0f", "👍"), ("1⃣", "1️⃣"), ("👩‍❤‍👨", "👩‍❤️‍👨"), ("🏳‍🌈", "🏳️‍🌈")],
        ids=ascii,
    )
    def test_what_looks_the_same_is_the_same(self, bob, message, typed, kept):
        for emoji in (typed, kept):
            assert add_reaction(bob.id, message_id=message.id, emoji=emoji).emoji == kept
        assert Reaction.objects.count() == 1

    @pytest.mark.parametrize("emoji", NO_EMOJI, ids=lambda text: ascii(text)[:40])
    def test_anything_else_is_refused(self, bob, message, emoji):
        with pytest.raises(ValidationFailed) as raised:
            add_reaction(bob.id, message_id=message.id, emoji=emoji)
        assert [error.attr for error in raised.value.errors] == ["emoji"]

    def test_all_are_different_on_every_database(self, bob, message, settings):
        settings.MAX_REACTIONS = len(EMOJI)
        for emoji in EMOJI:
            assert add_reaction(bob.id, message_id=message.id, emoji=emoji).count == 1
        assert Reaction.objects.count() == len(EMOJI)

    def test_a_message_takes_so_many_different_ones(self, alice, bob, message, settings):
        settings.MAX_REACTIONS = 2
        for emoji in ("👍", "👎"):
            add_reaction(alice.id, message_id=message.id, emoji=emoji)
        with pytest.raises(Conflict):
            add_reaction(bob.id, message_id=message.id, emoji="🎉")
        assert add_reaction(bob.id, message_id=message.id, emoji="👎").count == 2

    def test_a_stranger_and_one_who_left_find_nothing(self, bob, charlie, message):
        leave_room(bob, room_key="kitchen")
        for user_id, message_id in (
            (bob.id, message.id),
            (charlie.id, message.id),
            (charlie.id, uuid.uuid4()),
        ):
            with pytest.raises(NotFound):
                add_reaction(user_id, message_id=message_id, emoji="👍")

    def test_not_to_a_deleted_one(self, alice, bob, message):
        delete_message(alice.id, message_id=message.id)
        with pytest.raises(Conflict):
            add_reaction(bob.id, message_id=message.id, emoji="👍")

    @pytest.mark.parametrize("state", ["locked", "archived"])
    def test_not_in_a_locked_room(self, bob, message, state):
        Room.objects.update(state=state)
        with pytest.raises(RoomLocked):
            add_reaction(bob.id, message_id=message.id, emoji="👍")

    def test_not_between_two_of_whom_one_has_blocked_the_other(self, alice, bob, say):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        message = say(alice, room=str(direct.id))
        block_user(alice, user_id=bob.id)
        with pytest.raises(Blocked):
            add_reaction(bob.id, message_id=message.id, emoji="👍")

    @pytest.mark.django_db(transaction=True)
    def test_it_is_told_after_the_commit_and_not_at_all_after_a_rollback(self, bob, room, message, announced):
        with transaction.atomic():
            add_reaction(bob.id, message_id=message.id, emoji="👍")
            transaction.set_rollback(True)
        assert not Reaction.objects.exists()
        with transaction.atomic():
            add_reaction(bob.id, message_id=message.id, emoji="👍")
            assert announced() == []
        assert announced() == [(room.stream, "reaction.added")]

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_each_counts_and_is_told_once(self, alice, bob, room, message, race, events_of):
        for turn in range(10):
            race(
                *(
                    lambda user=user: add_reaction(user.id, message_id=message.id, emoji="👍")
                    for user in (alice, bob, alice, bob)
                )
            )
            told = [frame["data"]["count"] for frame in events_of(room.stream) if frame["pos"] > 1]
            assert told[4 * turn :] == [1, 2]
            for user in (alice, bob):
                remove_reaction(user.id, message_id=message.id, emoji="👍")


class TestApi:
    def test_the_answer_is_all_reactions_in_order(self, alice, bob, message, client_of, shown):
        for emoji in ("👎", "🎉"):
            add_reaction(alice.id, message_id=message.id, emoji=emoji)
        answer = client_of(bob).put(path(message, "👎"))
        assert answer.status_code == 200
        assert answer.json() == {
            "reactions": [
                {"emoji": "🎉", "count": 1, "me": False},
                {"emoji": "👎", "count": 2, "me": True},
            ]
        }
        assert shown(bob, message)["reactions"] == answer.json()["reactions"]
        assert client_of(bob).put(path(message, "👎")).json() == answer.json()

    @pytest.mark.parametrize("emoji", ["#️⃣", "👩🏻‍❤️‍💋‍👨🏿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"], ids=ascii)
    def test_a_path_takes_any_emoji(self, bob, message, client_of, emoji):
        answer = client_of(bob).put(path(message, emoji))
        assert answer.json() == {"reactions": [{"emoji": emoji, "count": 1, "me": True}]}

    @pytest.mark.parametrize("emoji", ["a", "👍👍", "%", "'; --", "x" * 2000])
    def test_anything_else_is_400(self, bob, message, client_of, emoji):
        answer = client_of(bob).put(path(message, emoji))
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert [error["attr"] for error in answer.json()["errors"]] == ["emoji"]

    def test_bytes_that_are_no_text_are_400(self, bob, message, client_of):
        answer = client_of(bob).put(f"/api/v1/messages/{message.id}/reactions/%F0%9F%91")
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    def test_anonymous_gets_401(self, message, anonymous):
        assert anonymous.put(path(message, "👍")).status_code == 401

    def test_a_stranger_gets_404(self, charlie, message, client_of):
        answer = client_of(charlie).put(path(message, "👍"))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_too_many_different_ones_are_409(self, bob, message, client_of, settings):
        settings.MAX_REACTIONS = 1
        client = client_of(bob)
        assert client.put(path(message, "👍")).status_code == 200
        answer = client.put(path(message, "👎"))
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    def test_the_number_of_queries_does_not_grow_with_the_reactions(self, alice, bob, message, client_of):
        client, counts = client_of(bob), []
        for number in range(20):
            other = User.objects.create_user(f"dora{number}", f"dora{number}@example.com")
            if number in (1, 10, 19):
                with CaptureQueriesContext(connection) as queries:
                    assert client.put(path(message, EMOJI[number])).status_code == 200
                counts.append(len(queries))
            Reaction.objects.create(message=message, user=other, emoji="👍")
        assert len(set(counts)) == 1

    def test_a_page_asks_for_them_once_and_only_if_there_are_some(self, alice, bob, room, say, client_of):
        messages = [say(alice) for _ in range(20)]
        client, counts = client_of(bob), []
        for reacted in ([], messages[:1], messages):
            for message in reacted:
                for emoji in EMOJI[: len(reacted)]:
                    add_reaction(alice.id, message_id=message.id, emoji=emoji)
            with CaptureQueriesContext(connection) as queries:
                page = client.get("/api/v1/rooms/kitchen/messages").json()["results"]
            assert len(page[-1]["reactions"]) == len(reacted)
            counts.append(len(queries))
        assert counts == [counts[0], counts[0] + 1, counts[0] + 1]


class TestFrame:
    async def test_everyone_gets_the_event_and_who_reacts_an_ack_that_says_the_same(
        self, each_server: LiveServer
    ) -> None:
        alice, bob, charlie = (Person(each_server, name) for name in ("alice", "bob", "charlie"))
        room = alice.direct_room_with(bob)
        message = alice.call("POST", f"/rooms/{room}/messages", json={"content": "Hi"}).json()
        reaction = {"message_id": message["id"], "emoji": "👩‍🚀"}
        async with alice.socket() as hers, bob.socket() as his, charlie.socket() as stranger:
            for socket in (hers, his, stranger):
                await socket.until("ready")
            ack = await his.ask("reaction.add", reaction)
            event = await hers.until("reaction.added")
            assert (ack["type"], ack["data"]) == ("ack", event["data"])
            assert (event["data"]["emoji"], event["data"]["user_id"]) == ("👩‍🚀", bob.id)
            assert (await his.ask("reaction.add", reaction))["data"] == ack["data"]
            await hers.nothing_for()
            for socket, data, code in (
                (stranger, reaction, "not_found"),
                (his, reaction | {"emoji": "no"}, "validation_error"),
                (his, reaction | {"emoji": None}, "validation_error"),
                (his, {"message_id": message["id"]}, "validation_error"),
                (his, reaction | {"count": 7}, "unknown_field"),
            ):
                refused = await socket.ask("reaction.add", data)
                assert (refused["type"], refused["data"]["code"]) == ("error", code)
        (shown,) = alice.call("GET", f"/messages/{message['id']}").json()["reactions"]
        assert shown == {"emoji": "👩‍🚀", "count": 1, "me": False}
