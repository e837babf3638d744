"""Searching very many messages: MySQL finds some by reading on and others by its index, and never others."""

import pytest

from messaging import services
from messaging.models import Message
from messaging.models.words import terms_of, words_of
from messaging.selectors import search as large_search
from rooms.services import add_members, create_room, update_room

# Its index shows what was committed.
pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/messages/search"


@pytest.fixture(params=[(1.0, 1.0), (-1.0, -1.0), (-1.0, 1.0)], ids=["index", "reading", "either"])
def large(request, monkeypatch):
    """As if a few messages were very many."""
    monkeypatch.setattr(large_search, "FEW", 0)
    monkeypatch.setattr(large_search, "WINDOW", 4)
    monkeypatch.setattr(large_search, "RARE", request.param[0])
    monkeypatch.setattr(large_search, "FREQUENT", request.param[1])


@pytest.fixture
def said(alice, bob, charlie, room, draft_of):
    """Sixty messages in the kitchen, and between them as many that alice can't read."""
    create_room(bob, name="Attic", slug="attic", member_ids=[charlie.id])
    texts = [
        f"{'even' if number % 2 == 0 else 'odd'} number {number} {'q' if number % 7 == 0 else 'x'} "
        f"{'お茶をください' if number % 5 == 0 else 'the end'} {'🎉' if number == 3 else ''}"
        for number in range(60)
    ]
    services.send_messages(
        [draft_of(bob, text, room=room) for text in texts for room in ("kitchen", "attic")]
    )
    return texts


QUERIES = [
    *("even", "number", "num", "q", "o", "the", "of", "お茶", "茶", "くだ", "さ", "🎉", "nothing", "無"),
    *("even q", "q お茶", '"number 1"', '"number 3"', '"the end"', '"end the"', "odd x number end"),
]


def test_the_same_is_found_on_every_way(alice, said, large, client_of, subtests):
    for q in QUERIES:
        with subtests.test(q=q):
            _finds_the_same(client_of(alice), said, q)


def _finds_the_same(client, said, q):
    expected = [text for text in reversed(said) if all(t in words_of(text) for t in terms_of(q))]
    found, page = [], {"next_cursor": None}
    while not found or page["next_cursor"]:
        page = client.get(
            PATH, {"q": q, "limit": 7, **({"cursor": page["next_cursor"]} if found else {})}
        ).json()
        found += [message["content"] for message in page["results"]]
        if not found:
            break
    assert found == expected
    back = page.get("previous_cursor")
    if back:
        before = client.get(PATH, {"q": q, "limit": 7, "cursor": back}).json()["results"]
        last = len(page["results"])
        assert [message["content"] for message in before] == expected[-last - 7 : -last]


def test_an_edit_and_a_deletion_reach_the_index(alice, bob, said, large, search):
    message = Message.objects.filter(room__slug="kitchen").earliest("id")
    services.edit_message(bob.id, message_id=message.id, content="zebra")
    assert search(alice, "zebra") == ["zebra"]
    assert search(alice, '"number 0"') == []
    services.edit_message(bob.id, message_id=message.id, content="giraffe")
    assert (search(alice, "zebra"), search(alice, "giraffe")) == ([], ["giraffe"])
    services.delete_message(bob.id, message_id=message.id)
    assert search(alice, "giraffe") == []


def test_a_change_of_content_reaches_the_index(alice, said, large, search):
    kitchen = Message.objects.filter(room__slug="kitchen")
    kitchen.filter(seq=1).update(content="zebra")
    assert search(alice, "zebra") == ["zebra"]
    assert search(alice, '"number 0"') == []


def test_the_past_that_one_may_not_read_is_not_found(alice, charlie, said, say, large, search):
    update_room(alice, room_key="kitchen", history="joined")
    add_members(alice, room_key="kitchen", user_ids=[charlie.id])
    say(alice, "number 60")
    assert search(charlie, "number", room_id="kitchen") == ["number 60"]


def test_times_bound_it(alice, said, large, search):
    at = Message.objects.get(room__slug="kitchen", seq=31).created_at.isoformat()
    older, newer = search(alice, "number", before=at), search(alice, "number", after=at)
    assert [*newer, said[30], *older] == said[::-1]


def test_a_room_and_a_file_do(alice, bob, said, large, say, search):
    say(bob, "number of a file", file_url="https://cloudinary.com/a.png")
    assert search(alice, "number", has_file="true", room_id="kitchen") == ["number of a file"]
    assert search(alice, "zzz", room_id="kitchen") == []
