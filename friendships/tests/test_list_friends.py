"""My friends."""

from uuid import uuid4

import pytest

from accounts.models import User
from accounts.services import update_me
from friendships.models import Friendship
from friendships.selectors import friends_of
from realtime import presence_store
from realtime.presence_store import Entry

URL = "/api/v1/friends"


def befriend_many(user, count, prefix="friend"):
    """`count` new friends of `user`, in order of becoming one."""
    friends = [
        User.objects.create_user(f"{prefix}{number}", f"{prefix}{number}@example.com")
        for number in range(count)
    ]
    for friend in friends:
        Friendship.objects.create(user=user, friend=friend)
        Friendship.objects.create(user=friend, friend=user)
    return friends


def names(answer):
    assert answer.status_code == 200
    return [friend["user"]["username"] for friend in answer.json()["results"]]


@pytest.fixture
def client_of_a_popular_user(alice, bob, charlie, befriend, client_of):
    """Alice, whose friends are charlie, called Zoë Tester, and later bob."""
    charlie.display_name = "Zoë Tester"
    charlie.save()
    befriend(alice, charlie)
    befriend(alice, bob)
    return client_of(alice)


class TestSelector:
    def test_each_row_comes_with_its_friend(self, alice, bob, befriend, django_assert_num_queries):
        befriend(alice, bob)
        with django_assert_num_queries(1):
            assert [row.friend.username for row in friends_of(alice)] == ["bob"]


class TestApi:
    def test_a_friend_has_a_card_and_a_date(self, alice, bob, befriend, client_of):
        befriend(alice, bob)
        body = client_of(alice).get(URL).json()
        (friend,) = body["results"]
        assert friend.pop("since").endswith("Z")
        assert friend == {
            "user": {
                "id": str(bob.id),
                "username": "bob",
                "display_name": "bob",
                "avatar_url": None,
                "is_bot": False,
            }
        }
        assert (body["next_cursor"], body["previous_cursor"]) == (None, None)

    def test_both_sides_list_each_other_and_a_stranger_lists_nobody(
        self, alice, bob, charlie, befriend, client_of
    ):
        befriend(alice, bob)
        assert names(client_of(alice).get(URL)) == ["bob"]
        assert names(client_of(bob).get(URL)) == ["alice"]
        assert names(client_of(charlie).get(URL)) == []

    def test_pages_run_from_the_newest_to_the_oldest_and_back(self, alice, client_of):
        befriend_many(alice, 5)
        client = client_of(alice)
        first = client.get(URL, {"limit": 2})
        second = client.get(URL, {"limit": 2, "cursor": first.json()["next_cursor"]})
        third = client.get(URL, {"limit": 2, "cursor": second.json()["next_cursor"]})
        assert names(first) == ["friend4", "friend3"]
        assert names(second) == ["friend2", "friend1"]
        assert names(third) == ["friend0"]
        assert third.json()["next_cursor"] is None
        back = client.get(URL, {"limit": 2, "cursor": third.json()["previous_cursor"]})
        assert names(back) == names(second)

    def test_friends_since_the_same_moment_are_listed_once_each(self, alice, client_of):
        befriend_many(alice, 5)
        Friendship.objects.update(since=Friendship.objects.filter(user=alice).first().since)
        client, seen, cursor = client_of(alice), [], None
        while True:
            answer = client.get(URL, {"limit": 2, **({"cursor": cursor} if cursor else {})})
            seen += names(answer)
            cursor = answer.json()["next_cursor"]
            if cursor is None:
                break
        assert seen == [f"friend{number}" for number in (4, 3, 2, 1, 0)]

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("", ["bob", "charlie"]),
            ("  ", ["bob", "charlie"]),
            ("b", ["bob"]),
            ("BO", ["bob"]),
            ("\uff22\uff4f", ["bob"]),
            ("zo", ["charlie"]),
            ("ZOË T", ["charlie"]),
            ("harlie", []),
            ("%", []),
            ("_", []),
            ("\\", []),
            ("' OR 1=1 --", []),
        ],
    )
    def test_search_is_by_the_beginning_of_a_name(self, client_of_a_popular_user, search, found):
        assert names(client_of_a_popular_user.get(URL, {"search": search})) == found

    def test_search_finds_friends_only(self, alice, bob, charlie, befriend, client_of):
        befriend(alice, bob)
        assert names(client_of(alice).get(URL, {"search": "charlie"})) == []

    def test_who_is_here_is_online_or_away(self, alice, bob, charlie, befriend, client_of):
        dora, *_ = befriend_many(alice, 1, prefix="dora")
        for friend in (bob, charlie):
            befriend(alice, friend)
        for user, status in ((alice, "online"), (bob, "away"), (charlie, "online")):
            presence_store.current().put([Entry(str(user.id), str(uuid4()), status)])
        client = client_of(alice)
        assert names(client.get(URL, {"online": "true"})) == ["charlie", "bob"]
        assert names(client.get(URL, {"online": "false"})) == [dora.username]
        assert names(client.get(URL, {"online": "true", "search": "b"})) == ["bob"]
        first = client.get(URL, {"online": "true", "limit": 1})
        rest = client.get(URL, {"online": "true", "limit": 1, "cursor": first.json()["next_cursor"]})
        assert names(first) + names(rest) == ["charlie", "bob"]

    @pytest.mark.parametrize(
        ("last_seen", "online"), [("everyone", True), ("friends", True), ("nobody", False)]
    )
    def test_who_does_not_show_it_is_not_here(self, alice, bob, befriend, client_of, last_seen, online):
        befriend(alice, bob)
        update_me(bob, settings={"last_seen": last_seen})
        presence_store.current().put([Entry(str(bob.id), str(uuid4()), "online")])
        assert names(client_of(alice).get(URL, {"online": str(online).lower()})) == ["bob"]
        assert names(client_of(alice).get(URL, {"online": str(not online).lower()})) == []

    def test_search_goes_on_over_pages(self, alice, bob, befriend, client_of):
        befriend_many(alice, 3)
        befriend(alice, bob)
        client = client_of(alice)
        first = client.get(URL, {"search": "fri", "limit": 2})
        rest = client.get(URL, {"search": "fri", "limit": 2, "cursor": first.json()["next_cursor"]})
        assert names(first) + names(rest) == ["friend2", "friend1", "friend0"]

    def test_anonymous_gets_401(self, anonymous, db):
        answer = anonymous.get(URL)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize(
        "query",
        [
            {"limit": 0},
            {"limit": 101},
            {"limit": -1},
            {"limit": "abc"},
            {"cursor": "forged"},
            {"search": "x" * 65},
            {"search": "\0"},
            {"online": "perhaps"},
        ],
    )
    def test_a_bad_parameter_is_400(self, alice, client_of, query):
        answer = client_of(alice).get(URL, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_a_cursor_of_another_list_is_400(self, alice, bob, client_of):
        befriend_many(alice, 2)
        client = client_of(alice)
        cursor = client.get(URL, {"limit": 1}).json()["next_cursor"]
        answer = client.get("/api/v1/friends/requests", {"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
