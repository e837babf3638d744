"""Messages by their words: whose, where, when, in what order, and what is shown of them."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.rows import update
from messaging import services
from messaging.models import Message
from rooms.services import (
    add_members,
    create_room,
    delete_room,
    leave_room,
    open_direct_room,
    update_room,
)

pytestmark = pytest.mark.django_db

PATH = "/api/v1/messages/search"

ODD_QUERIES = [
    *"@+-(*\"~<>)'%_\\;:/|&!",
    '+ - ( * " ~ < >',
    "@@ +++ ---",
    '"',
    '""""',
    '+"',
    "(((((",
    "a* b*",
    "*",
    "-tea",
    "+tea -cake",
    "~tea",
    ">tea <cake",
    "(tea OR cake) AND NOT x",
    '"tea',
    "tea@",
    "@tea+(",
    "%' OR 1=1 --",
    "{{ 7*7 }} ${7*7}",
    "../../etc/passwd",
    "x" * 1000,
    "a " * 500,
    "日" * 1000,
    "🎉" * 1000,
    "ﷺ" * 1000,
    "㍿" * 1000,
    " ".join(map(chr, range(0x3B1, 0x3B1 + 500))),
    "\u202e\u200d\u0301",
    "\U0010ffff\ufffe",
    "NULL",
    "the and of to a in is",
]


@pytest.fixture
def said(alice, bob, room, say):
    """What alice and bob said in the kitchen."""
    texts = ["Tea or coffee?", "Tea, please.", "Green tea or black tea?", "お茶をください", "ok 🎉"]
    return [say((alice, bob)[number % 2], text) for number, text in enumerate(texts)]


class TestApi:
    def test_the_newest_come_first(self, alice, bob, said, search):
        for user in (alice, bob):
            assert search(user, "tea") == ["Green tea or black tea?", "Tea, please.", "Tea or coffee?"]

    @pytest.mark.parametrize(
        ("q", "places"),
        [
            ("COFFEE", [0]),
            ("cof", [0]),
            ("tea coffee", [0]),
            ('"or coffee"', [0]),
            ('"coffee or"', []),
            ("or", [2, 0]),
            ("ok", [4]),
            ("🎉", [4]),
            ("茶", [3]),
            ("茶をく", [3]),
            ("ください", [3]),
            ("milk", []),
            ("tea milk", []),
            ("+tea (coffee) *", [0]),
            ("--", []),
        ],
    )
    def test_words_are_found_by_their_beginning_and_what_has_no_blanks_by_any_part(
        self, alice, said, search, q, places
    ):
        assert search(alice, q) == [said[place].content for place in places]

    def test_a_hit_is_the_message_with_a_highlight(self, alice, said, client_of):
        client = client_of(alice)
        (hit,) = client.get(PATH, {"q": "cof"}).json()["results"]
        parts = [("Tea or ", False), ("coffee", True), ("?", False)]
        assert hit.pop("highlight") == [{"text": text, "match": match} for text, match in parts]
        assert hit == client.get(f"/api/v1/messages/{said[0].id}").json()

    def test_the_highlight_of_a_long_message_is_an_excerpt(self, alice, room, say, client_of):
        say(alice, f"{'many words ' * 50}tea {'more words ' * 50}tea")
        (hit,) = client_of(alice).get(PATH, {"q": "tea"}).json()["results"]
        parts = [(part["text"], part["match"]) for part in hit["highlight"]]
        assert [match for _, match in parts] == [False, False, True, False, False]
        assert (parts[0][0], parts[2][0], parts[4][0]) == ("…", "tea", "…")
        excerpt = "".join(text for text, _ in parts[1:-1])
        assert len(excerpt) == 200
        assert excerpt in hit["content"]

    def test_what_a_message_holds_comes_as_it_is(self, alice, room, say, client_of):
        say(alice, "<img src=x onerror=alert(1)> tea & <b>cake</b>")
        (hit,) = client_of(alice).get(PATH, {"q": "tea"}).json()["results"]
        assert "".join(part["text"] for part in hit["highlight"]) == hit["content"]
        assert [part["text"] for part in hit["highlight"] if part["match"]] == ["tea"]

    def test_only_my_rooms_are_searched(self, alice, bob, charlie, said, say, search):
        create_room(charlie, name="Attic", slug="attic")
        say(charlie, "Tea for one", room="attic")
        assert search(charlie, "tea") == ["Tea for one"]
        assert "Tea for one" not in search(alice, "tea")

    def test_a_room_that_i_left_and_one_that_was_deleted_are_not(self, alice, bob, said, search):
        leave_room(bob, room_key="kitchen")
        assert search(bob, "tea") == []
        assert search(alice, "tea")
        delete_room(alice, room_key="kitchen")
        assert search(alice, "tea") == []

    def test_a_newcomer_finds_as_much_of_the_past_as_they_may_read(self, alice, charlie, said, say, search):
        update_room(alice, room_key="kitchen", history="joined")
        add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        assert search(charlie, "tea") == search(charlie, "tea", room_id="kitchen") == []
        say(alice, "More tea")
        assert search(charlie, "tea") == search(charlie, "tea", room_id="kitchen") == ["More tea"]

    def test_an_edited_message_is_found_by_what_it_says_now(self, alice, said, search):
        services.edit_message(alice.id, message_id=said[0].id, content="Milk or juice?")
        assert search(alice, "coffee") == []
        assert search(alice, "juice") == ["Milk or juice?"]
        services.edit_message(alice.id, message_id=said[0].id, content="Coffee after all")
        assert search(alice, "juice") == []
        assert search(alice, "coffee") == ["Coffee after all"]

    def test_a_deleted_message_is_not_found(self, alice, said, search):
        services.edit_message(alice.id, message_id=said[0].id, content="Cold coffee")
        services.delete_message(alice.id, message_id=said[0].id)
        assert search(alice, "coffee") == search(alice, "cold") == []
        assert Message.objects.get(id=said[0].id).words == ""

    def test_neither_is_one_that_is_marked_as_deleted_whatever_it_says(self, alice, said, search):
        Message.objects.filter(id=said[0].id).update(deleted_at=timezone.now())
        assert search(alice, "coffee") == []

    def test_what_was_forwarded_is_found_where_one_may_read_it_until_it_is_deleted(
        self, alice, bob, charlie, said, draft_of, search
    ):
        create_room(bob, name="Attic", slug="attic", member_ids=[charlie.id])
        draft = draft_of(bob, None, room="attic", forward_of=str(said[0].id))
        copy = services.send_message(draft).message
        assert search(charlie, "coffee") == search(alice, "coffee") == [said[0].content]
        assert search(bob, "coffee") == [said[0].content] * 2
        services.delete_message(bob.id, message_id=copy.id)
        assert search(charlie, "coffee") == []
        assert search(bob, "coffee") == [said[0].content]
        services.delete_message(alice.id, message_id=said[0].id)
        assert search(bob, "coffee") == search(alice, "coffee") == []

    def test_a_change_of_content_is_enough(self, alice, said, search):
        Message.objects.filter(id=said[0].id).update(content="Milk?")
        message = Message.objects.get(id=said[1].id)
        message.content = "Milk, please."
        message.save(update_fields=["content"])
        message = Message.objects.get(id=said[2].id)
        message.content = "Hot milk or cold milk?"
        message.save()
        assert search(alice, "tea") == []
        assert search(alice, "milk") == ["Hot milk or cold milk?", "Milk, please.", "Milk?"]

    def test_words_that_were_not_written_again_find_nothing_that_is_not_there(self, alice, said, search):
        said[0].content = "Milk?"
        update([said[0]], "content")
        assert search(alice, "coffee") == []

    def test_it_is_found_by_room(self, alice, bob, said, say, search):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        say(bob, "Tea again", room=str(direct.id))
        assert search(alice, "tea")[0] == "Tea again"
        assert search(alice, "tea", room_id=str(direct.id)) == ["Tea again"]
        assert len(search(alice, "tea", room_id="kitchen")) == 3

    def test_it_is_found_by_sender_by_time_and_by_having_a_file(self, alice, bob, said, say, search):
        assert search(alice, "tea", sender_id=bob.id) == ["Tea, please."]
        assert search(alice, "tea", sender_id=uuid.uuid4()) == []
        at = said[1].created_at
        assert search(alice, "tea", before=at.isoformat()) == ["Tea or coffee?"]
        assert search(alice, "tea", after=at.isoformat()) == ["Green tea or black tea?"]
        around = {
            name: (at + timedelta(hours=way)).isoformat() for name, way in (("after", -1), ("before", 1))
        }
        assert len(search(alice, "tea", **around)) == 3
        for year, name in (("0001-01-01", "after"), ("9999-12-31", "before")):
            assert len(search(alice, "tea", **{name: f"{year}T23:59:59Z"})) == 3
        say(alice, "Tea leaves", file_url="https://cloudinary.com/tea.png")
        assert search(alice, "tea", has_file="true") == ["Tea leaves"]
        assert "Tea leaves" not in search(alice, "tea", has_file="false")

    def test_pages_hold_every_hit_once_there_and_back(self, alice, room, draft_of, client_of):
        services.send_messages([draft_of(alice, f"tea {number}") for number in range(25)])
        client, pages, cursor = client_of(alice), [], None
        while not pages or cursor:
            page = client.get(
                PATH, {"q": "tea", "limit": 10, **({"cursor": cursor} if cursor else {})}
            ).json()
            pages.append([message["seq"] for message in page["results"]])
            cursor = page["next_cursor"]
        assert pages == [list(range(25, 15, -1)), list(range(15, 5, -1)), list(range(5, 0, -1))]
        back = client.get(PATH, {"q": "tea", "limit": 10, "cursor": page["previous_cursor"]}).json()
        assert [message["seq"] for message in back["results"]] == pages[1]

    @pytest.mark.parametrize("q", ODD_QUERIES, ids=lambda q: f"{q[:12]!a}")
    def test_no_query_fails(self, alice, said, client_of, q):
        answer = client_of(alice).get(PATH, {"q": q})
        assert answer.status_code == 200
        assert set(answer.json()) == {"results", "next_cursor", "previous_cursor"}

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"q": ""},
            {"q": "   "},
            {"q": "a\0b"},
            {"q": "x" * 1001},
            {"q": "tea", "limit": "101"},
            {"q": "tea", "limit": "abc"},
            {"q": "tea", "cursor": "forged"},
            {"q": "tea", "sender_id": "bob"},
            {"q": "tea", "before": "yesterday"},
            {"q": "tea", "before": "2026-13-01T00:00:00Z"},
            {"q": "tea", "after": "99999-01-01T00:00:00Z"},
            {"q": "tea", "after": "0001-01-01T00:00:00+14:00"},
            {"q": "tea", "after": "\0"},
            {"q": "tea", "has_file": "perhaps"},
            {"q": "tea", "room_id": "x" * 65},
            {"q": "tea", "room_id": "\0"},
        ],
        ids=str,
    )
    def test_an_odd_parameter_is_400(self, alice, room, client_of, query):
        answer = client_of(alice).get(PATH, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_a_strangers_room_is_404(self, charlie, said, room, client_of):
        for key in ("kitchen", str(room.id), "attic", "no room!"):
            answer = client_of(charlie).get(PATH, {"q": "tea", "room_id": key})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_anonymous_gets_401(self, said, anonymous):
        assert anonymous.get(PATH, {"q": "tea"}).status_code == 401

    def test_the_number_of_queries_does_not_grow(self, alice, room, draft_of, client_of):
        services.send_messages([draft_of(alice, "tea") for _ in range(100)])
        client, counts = client_of(alice), []
        for limit in (1, 10, 100):
            with CaptureQueriesContext(connection) as queries:
                answer = client.get(PATH, {"q": "tea", "limit": limit})
            assert len(answer.json()["results"]) == limit
            counts.append(len(queries))
        assert len(set(counts)) == 1
