"""Naming members of a room with `@`: who is meant, and what it costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging import services
from messaging.models import Mention, Message
from messaging.services import edit_message
from rooms.services import add_members, create_room, remove_member

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rooms/kitchen/messages"


def user(name):
    return User.objects.create_user(name, f"user{User.objects.count()}@example.com")


class TestService:
    @pytest.mark.parametrize(
        "content",
        [
            *("@bob", "Hi @bob", "@bob!", "(@bob)", "@bob, are you there?", "Ask @bob.", "Is it @bob…"),
            *("@BOB", "@Bob", "@ｂｏｂ", "@bob's", "@bob@", "@@bob", "@bob\n@bob", "@bob-", "_@bob_"),
            *("*@bob*", "@bob:", "@bob/@nobody", "-@bob", "你好@bob", "🎉@bob🎉", "\u202e@bob"),
        ],
        ids=ascii,
    )
    def test_this_names_bob(self, alice, bob, room, say, content):
        assert say(alice, content).mentioned == [bob.id]
        mention = Mention.objects.get()
        assert (mention.user, mention.room, mention.seq) == (bob, room, 1)

    @pytest.mark.parametrize(
        "content",
        [
            *("bob", "@", "@ bob", "@bo", "@bobby", "@bo.b", "@bobé", "alice@bob", "a+b@bob"),
            *("@bob@example.org", "https://example.org/@bob", "@.bob", "@alice2", "＠bob", "@" + "b" * 97),
        ],
        ids=ascii,
    )
    def test_this_names_nobody(self, alice, bob, room, say, content):
        assert say(alice, content).mentioned == []
        assert not Mention.objects.exists()

    def test_names_may_be_of_any_script_and_have_dots(self, alice, room, say):
        names = ["jörg", "李小龙", "b.o.b", "bob-2", "_bob_", "bob."]
        people = [user(name) for name in names]
        for person in people:
            room.memberships.create(user=person)
        for name, person in zip(names, people, strict=True):
            assert person.id in say(alice, f"Hi @{name}!").mentioned
        assert say(alice, "Hi @jo\u0308rg").mentioned == [people[0].id]

    def test_only_members_are_named(self, alice, bob, charlie, room, say):
        assert say(alice, "@bob @charlie").mentioned == [bob.id]
        remove_member(alice, room_key="kitchen", user_id=bob.id)
        assert say(alice, "@bob @charlie").mentioned == []

    def test_each_once_and_in_an_order_of_their_own(self, alice, bob, room, say):
        mentioned = say(alice, "@bob @alice @BOB @bob").mentioned
        assert mentioned == sorted([alice.id, bob.id])

    def test_only_so_many_names_are_looked_for(self, alice, bob, room, say, settings):
        settings.MAX_MENTIONS = 3
        assert say(alice, "@aaa @bbb @bob @ccc").mentioned == [bob.id]
        assert say(alice, "@aaa @bbb @aaa @ccc @bob").mentioned == []

    def test_the_same_name_in_another_room_of_the_batch_is_not_meant(
        self, alice, bob, charlie, room, draft_of
    ):
        create_room(alice, name="Attic", slug="attic", member_ids=[charlie.id])
        sent = services.send_messages(
            [draft_of(alice, "@bob @charlie", room=key) for key in ("kitchen", "attic")]
        )
        assert [outcome.message.mentioned for outcome in sent] == [[bob.id], [charlie.id]]

    def test_frames_and_rest_show_them_alike(self, alice, bob, room, say, events_of, shown):
        message = say(bob, "Hi @bob and @alice")
        ids = sorted([str(alice.id), str(bob.id)])
        assert events_of(room.stream)[0]["data"]["mentions"] == shown(alice, message)["mentions"] == ids

    def test_an_edit_names_anew(self, alice, bob, charlie, room, say, events_of, shown):
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        message = say(alice, "@bob @alice")
        edit_message(alice.id, message_id=message.id, content="@bob @charlie")
        ids = sorted([str(bob.id), str(charlie.id)])
        assert events_of(room.stream)[-1]["data"]["mentions"] == shown(bob, message)["mentions"] == ids
        edit_message(alice.id, message_id=message.id, content="nobody")
        assert shown(bob, message)["mentions"] == []
        assert not Mention.objects.exists()

    def test_without_an_at_sign_no_statement_more_is_made(self, alice, room, draft_of):
        def count(content):
            drafts = [draft_of(alice, content) for _ in range(5)]
            with CaptureQueriesContext(connection) as queries:
                assert all(isinstance(sent, services.Sent) for sent in services.send_messages(drafts))
            return [query["sql"] for query in queries]

        count("warm up")
        plain = count("Hi bob")
        assert not any("messaging_mention" in sql for sql in plain)
        # Whom, and the rows; nobody named: only whom.
        assert [len(count(content)) - len(plain) for content in ("Hi @bob", "Hi @nobody", "@", "a@b")] == [
            2,
            1,
            0,
            0,
        ]

    def test_a_batch_of_any_size_asks_once(self, alice, bob, room, draft_of):
        counts = []
        for size in (1, 10, 50):
            drafts = [draft_of((alice, bob)[n % 2], f"@bob and @alice {n}") for n in range(size)]
            with CaptureQueriesContext(connection) as queries:
                services.send_messages(drafts)
            counts.append(len(queries))
        assert len(set(counts)) == 1
        assert Mention.objects.count() == 2 * Message.objects.count()

    @pytest.mark.django_db(transaction=True)
    def test_one_who_is_removed_meanwhile_is_not_named_after_it(self, alice, bob, room, say, race):
        for _ in range(10):
            _, sent = race(
                lambda: remove_member(alice, room_key="kitchen", user_id=bob.id), lambda: say(alice, "@bob")
            )
            left_pos = room.memberships.get(user=bob).left_pos
            assert sent.mentioned == ([bob.id] if sent.pos < left_pos else [])
            add_members(alice, room_key="kitchen", user_ids=[bob.id])


class TestApi:
    def test_the_answer_has_them(self, alice, bob, room, client_of):
        answer = client_of(alice).post(PATH, {"content": "Hi @bob", "client_message_id": "c-1"})
        assert answer.json()["mentions"] == [str(bob.id)]
        repeat = client_of(alice).post(PATH, {"content": "Hi @bob", "client_message_id": "c-1"})
        assert repeat.json() == answer.json()

    def test_they_can_not_be_given(self, alice, bob, room, client_of):
        answer = client_of(alice).post(PATH, {"content": "Hi", "mentions": [str(bob.id)]})
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field")

    def test_a_page_asks_for_them_once_and_only_if_there_may_be_some(self, alice, bob, room, say, client_of):
        client, counts = client_of(bob), []
        for contents in (["plain"], ["Hi @bob"], ["Hi @bob"] * 20):
            for content in contents:
                say(alice, content)
            with CaptureQueriesContext(connection) as queries:
                page = client.get(PATH, {"limit": len(contents)}).json()["results"]
            assert [len(message["mentions"]) for message in page] == ["@" in content for content in contents]
            counts.append(len(queries))
        assert counts == [counts[0], counts[0] + 1, counts[0] + 1]
