"""Whom I have blocked."""

import pytest

from accounts.models import User
from friendships.services import block_user

URL = "/api/v1/blocks"


def block_many(user, count, prefix="dora"):
    for number in range(count):
        other = User.objects.create_user(f"{prefix}{number}", f"{prefix}{number}@example.com")
        block_user(user, user_id=other.id)


def names(answer):
    assert answer.status_code == 200
    return [row["user"]["username"] for row in answer.json()["results"]]


class TestApi:
    def test_a_row_has_a_card_and_a_date(self, alice, bob, client_of):
        block_user(alice, user_id=bob.id)
        body = client_of(alice).get(URL).json()
        (row,) = body["results"]
        assert row.pop("since").endswith("Z")
        assert row == {
            "user": {
                "id": str(bob.id),
                "username": "bob",
                "display_name": "bob",
                "avatar_url": None,
                "is_bot": False,
            }
        }
        assert (body["next_cursor"], body["previous_cursor"]) == (None, None)

    def test_it_is_mine_alone(self, alice, bob, charlie, client_of):
        block_user(alice, user_id=bob.id)
        for user, blocked in ((alice, ["bob"]), (bob, []), (charlie, [])):
            assert names(client_of(user).get(URL)) == blocked

    def test_who_blocked_me_too_is_on_it(self, alice, bob, client_of):
        block_user(alice, user_id=bob.id)
        block_user(bob, user_id=alice.id)
        assert names(client_of(alice).get(URL)) == ["bob"]

    def test_pages_are_newest_first(self, alice, client_of):
        block_many(alice, 5)
        client = client_of(alice)
        first = client.get(URL, {"limit": 3})
        second = client.get(URL, {"limit": 3, "cursor": first.json()["next_cursor"]})
        assert names(first) + names(second) == [f"dora{number}" for number in (4, 3, 2, 1, 0)]
        assert second.json()["next_cursor"] is None
        back = client.get(URL, {"limit": 3, "cursor": second.json()["previous_cursor"]})
        assert names(back) == names(first)

    def test_anonymous_gets_401(self, anonymous, db):
        answer = anonymous.get(URL)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "abc"}, {"cursor": "forged"}])
    def test_a_bad_parameter_is_400(self, alice, client_of, query):
        answer = client_of(alice).get(URL, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
