import pytest

from messaging import services
from rooms.services import leave_room

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rooms/kitchen/messages"


@pytest.fixture
def said(alice, bob, room, draft_of):
    """Twelve messages, in turn; the last one answers the first."""
    sent = services.send_messages([draft_of((alice, bob)[n % 2], f"Message {n}") for n in range(1, 12)])
    reply = draft_of(bob, "Message 12", reply_to=str(sent[0].message.id))
    return [*(outcome.message for outcome in sent), services.send_message(reply).message]


def _seqs(page):
    return [message["seq"] for message in page["results"]]


def _walk(client, way, **query):
    """The seqs of every page from the first on, following `way`; and the last page."""
    page = client.get(PATH, query).json()
    seqs = [_seqs(page)]
    while page[way]:
        page = client.get(PATH, {"limit": query["limit"], "cursor": page[way]}).json()
        seqs.append(_seqs(page))
    return seqs, page


class TestApi:
    def test_the_newest_come_first(self, alice, said, client_of):
        page = client_of(alice).get(PATH).json()
        assert _seqs(page) == list(range(12, 0, -1))
        assert (page["next_cursor"], page["previous_cursor"]) == (None, None)

    def test_fifty_unless_told_otherwise(self, alice, said, client_of, draft_of):
        services.send_messages([draft_of(alice) for _ in range(40)])
        page = client_of(alice).get(PATH).json()
        assert _seqs(page) == list(range(52, 2, -1))
        assert page["next_cursor"]

    def test_an_empty_room_is_an_empty_page(self, alice, room, client_of):
        empty = {"results": [], "next_cursor": None, "previous_cursor": None}
        for query in ({}, {"before": 5}, {"after": 5}, {"around": 5}):
            assert client_of(alice).get(PATH, query).json() == empty

    def test_it_shows_what_the_frames_showed(self, alice, said, room, client_of, events_of):
        shown = client_of(alice).get(PATH, {"after": 0}).json()["results"]
        sent = [frame["data"] for frame in events_of(room.stream)]
        assert [message | {"room_slug": "kitchen", "reply_count": 0} for message in shown] == sent
        assert [message["reply_count"] for message in shown] == [1] + [0] * 11
        assert shown[11]["reply_to"]["id"] == shown[0]["id"]

    def test_the_room_may_be_named_by_its_id(self, alice, said, room, client_of):
        client = client_of(alice)
        assert client.get(f"/api/v1/rooms/{room.id}/messages").json() == client.get(PATH).json()

    @pytest.mark.parametrize(
        ("query", "seqs"),
        [
            ({"before": 4}, [3, 2, 1]),
            ({"before": 1}, []),
            ({"before": 0}, []),
            ({"before": 99, "limit": 2}, [12, 11]),
            ({"before": 2**63 - 1, "limit": 1}, [12]),
            ({"after": 9}, [10, 11, 12]),
            ({"after": 0, "limit": 2}, [1, 2]),
            ({"after": 12}, []),
            ({"after": 2**63 - 1}, []),
            ({"around": 6, "limit": 1}, [6]),
            ({"around": 6, "limit": 2}, [7, 6]),
            ({"around": 6, "limit": 5}, [8, 7, 6, 5, 4]),
            ({"around": 1, "limit": 4}, [3, 2, 1]),
            ({"around": 12, "limit": 4}, [12, 11]),
            ({"around": 99, "limit": 4}, [12, 11]),
            ({"around": 0, "limit": 4}, [2, 1]),
        ],
    )
    def test_an_anchor_says_where(self, alice, said, client_of, query, seqs):
        assert _seqs(client_of(alice).get(PATH, query).json()) == seqs

    def test_pages_hold_every_message_once_there_and_back(self, alice, said, client_of):
        client = client_of(alice)
        down, last = _walk(client, "next_cursor", limit=5)
        assert down == [[12, 11, 10, 9, 8], [7, 6, 5, 4, 3], [2, 1]]
        up, first = _walk(client, "previous_cursor", limit=5, cursor=last["previous_cursor"])
        assert up == [[7, 6, 5, 4, 3], [12, 11, 10, 9, 8]]
        assert first["next_cursor"]

    def test_so_do_pages_oldest_first(self, alice, said, client_of):
        client = client_of(alice)
        up, last = _walk(client, "next_cursor", limit=5, after=0)
        assert up == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12]]
        down, first = _walk(client, "previous_cursor", limit=5, cursor=last["previous_cursor"])
        assert down == [[6, 7, 8, 9, 10], [1, 2, 3, 4, 5]]
        assert first["next_cursor"]

    def test_from_around_the_whole_room_is_reached_both_ways(self, alice, said, client_of):
        client = client_of(alice)
        down, _ = _walk(client, "next_cursor", limit=4, around=6)
        up, _ = _walk(client, "previous_cursor", limit=4, around=6)
        assert down == [[8, 7, 6, 5], [4, 3, 2, 1]]
        assert up == [[8, 7, 6, 5], [12, 11, 10, 9]]

    @pytest.mark.parametrize(
        ("query", "more"),
        [
            ({"limit": 12}, (False, False)),
            ({"around": 6, "limit": 24}, (False, False)),
            ({"around": 12, "limit": 4}, (True, False)),
            ({"around": 1, "limit": 4}, (False, True)),
            ({"around": 12, "limit": 1}, (True, False)),
            ({"around": 11, "limit": 1}, (True, True)),
            ({"before": 4, "limit": 3}, (False, False)),
            ({"after": 9, "limit": 3}, (False, False)),
            ({"after": 9, "limit": 2}, (True, False)),
        ],
    )
    def test_a_cursor_is_there_if_the_page_is(self, alice, said, client_of, query, more):
        page = client_of(alice).get(PATH, query).json()
        assert (page["next_cursor"] is not None, page["previous_cursor"] is not None) == more

    @pytest.mark.parametrize(
        "query",
        [
            *({"limit": value} for value in ("1000000000", "1e9", "-1", "0", "101", "abc", "", "9" * 5000)),
            *(
                {anchor: value}
                for anchor in ("before", "after", "around")
                for value in (2**64, 2**63, -1, "abc", "", "1.5", "NaN")
            ),
            {"before": 5, "after": 3},
            {"before": 5, "around": 3},
            {"after": 5, "around": 5},
            {"before": 1, "after": 1, "around": 1},
            {"cursor": "forged"},
            {"cursor": ""},
            {"cursor": "a:b:c"},
            {"cursor": "\x00"},
            {"cursor": "é" * 400},
            {"cursor": "x" * 10_000},
        ],
        ids=lambda query: "&".join(f"{name}={str(value)[:12]!a}" for name, value in query.items()),
    )
    def test_an_odd_parameter_is_400(self, alice, room, client_of, query):
        answer = client_of(alice).get(PATH, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_a_changed_cursor_one_of_another_list_and_one_with_an_anchor_are_400(
        self, alice, said, room, client_of
    ):
        client = client_of(alice)
        cursor = client.get(PATH, {"limit": 1}).json()["next_cursor"]
        members = client.get("/api/v1/rooms/kitchen/members", {"limit": 1}).json()["next_cursor"]
        body, _, signature = cursor.partition(":")
        forged = [f"{body[:-1]}A:{signature}", f"{cursor}A", members]
        for query in (*({"cursor": each} for each in forged), {"cursor": cursor, "before": 5}):
            answer = client.get(PATH, query)
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
        assert client.get(PATH, {"cursor": cursor}).status_code == 200

    def test_a_stranger_gets_404(self, charlie, said, room, client_of):
        for key in ("kitchen", room.id, "attic"):
            answer = client_of(charlie).get(f"/api/v1/rooms/{key}/messages")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_one_who_left_gets_404(self, bob, said, client_of):
        client = client_of(bob)
        cursor = client.get(PATH, {"limit": 1}).json()["next_cursor"]
        leave_room(bob, room_key="kitchen")
        for query in ({}, {"after": 0}, {"cursor": cursor}):
            assert client.get(PATH, query).status_code == 404

    def test_anonymous_gets_401(self, said, anonymous):
        assert anonymous.get(PATH).status_code == 401
