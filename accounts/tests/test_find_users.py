"""GET /users?search= and GET /users/{id}."""

from uuid import uuid4

import pytest

from accounts.models import User
from accounts.signals import relationships_asked
from friendships.services import block_user, unblock_user

URL = "/api/v1/users"


@pytest.fixture
def names_found(alice, client_of):
    client = client_of(alice)

    def find(**query):
        response = client.get(URL, query)
        assert response.status_code == 200, response.json()
        return [user["username"] for user in response.json()["results"]]

    return find


@pytest.fixture
def bob_asked_alice(alice, bob):
    """An app above says what bob is to alice."""

    def answer(*, viewer, user_ids, **_signal):
        return {bob.id: "incoming"} if viewer == alice and bob.id in user_ids else {}

    relationships_asked.connect(answer)
    yield
    relationships_asked.disconnect(answer)


class TestSearch:
    def test_by_the_beginning_of_either_name(self, bob, charlie, names_found):
        User.objects.create_user("zed", "zed@example.com", display_name="Bobby Tables")
        assert names_found(search="bob") == ["bob", "zed"]
        assert names_found(search="bobby") == ["zed"]
        assert names_found(search="obby") == []

    @pytest.mark.parametrize("search", ["BO", "ｂｏ", " bo ", "Bob"])
    def test_case_width_and_blanks_do_not_matter(self, bob, names_found, search):
        assert names_found(search=search) == ["bob"]

    def test_one_finds_oneself(self, names_found):
        assert names_found(search="alice") == ["alice"]

    def test_a_suspended_user_is_not_found(self, bob, names_found):
        User.objects.filter(id=bob.id).update(is_active=False)
        assert names_found(search="bob") == []

    def test_who_blocked_me_is_not_found_and_fills_no_place_on_a_page(self, alice, bob, client_of):
        bobs = [User.objects.create_user(f"bob{n}", f"bob{n}@example.com") for n in range(4)]
        for user in (bob, bobs[1]):
            block_user(user, user_id=alice.id)
        client = client_of(alice)
        page = client.get(URL, {"search": "bob", "limit": 2}).json()
        rest = client.get(URL, {"search": "bob", "limit": 2, "cursor": page["next_cursor"]}).json()
        found = [[user["username"] for user in body["results"]] for body in (page, rest)]
        assert found == [["bob0", "bob2"], ["bob3"]]

    def test_whom_i_blocked_is_found_as_such(self, alice, bob, client_of):
        block_user(alice, user_id=bob.id)
        (found,) = client_of(alice).get(URL, {"search": "bob"}).json()["results"]
        assert (found["username"], found["relationship"]) == ("bob", "blocked")

    @pytest.mark.parametrize("search", ["%%", "__", "b%", "b_b", "\\\\", "' OR 1=1 --", "{{7*7}}"])
    def test_no_character_is_a_wildcard(self, bob, names_found, search):
        assert names_found(search=search) == []

    def test_any_script(self, db, names_found):
        User.objects.create_user("山田太郎", "yamada@example.com")
        User.objects.create_user("𐐀𐐁𐐂", "deseret@example.com")
        assert names_found(search="山田") == ["山田太郎"]
        assert names_found(search="𐐀𐐁") == ["𐐀𐐁𐐂"]

    def test_pages_are_in_order_of_the_user_name(self, alice, client_of):
        for number in range(7):
            User.objects.create_user(f"dora{number}", f"dora{number}@example.com")
        client, seen, cursor = client_of(alice), [], {}
        while cursor is not None:
            page = client.get(URL, {"search": "dora", "limit": 3, **cursor}).json()
            seen += [user["username"] for user in page["results"]]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
        assert seen == [f"dora{number}" for number in range(7)]

    @pytest.mark.parametrize(
        "query", [{}, {"search": ""}, {"search": "a"}, {"search": " a "}, {"search": "x" * 65}]
    )
    def test_a_search_has_2_to_64_characters(self, alice, client_of, query):
        response = client_of(alice).get(URL, query)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
        assert response.json()["errors"][0]["attr"] == "search"

    def test_relationships_are_told(self, alice, client_of, bob_asked_alice):
        User.objects.create_user("bobby", "bobby@example.com")
        found = client_of(alice).get(URL, {"search": "bob"}).json()["results"]
        assert [user["relationship"] for user in found] == ["incoming", "none"]

    def test_an_anonymous_caller_gets_401(self, db, anonymous):
        assert anonymous.get(URL, {"search": "bob"}).status_code == 401


class TestRetrieve:
    def test_a_user_as_others_see_them(self, alice, bob, client_of):
        response = client_of(alice).get(f"{URL}/{bob.id}")
        assert response.status_code == 200
        body = response.json()
        assert body | {"created_at": ""} == {
            "id": str(bob.id),
            "username": "bob",
            "display_name": "bob",
            "avatar_url": None,
            "is_bot": False,
            "bio": "",
            "created_at": "",
            "presence": {"status": "offline", "last_seen_at": None},
            "relationship": "none",
        }

    def test_the_relationship_is_the_viewers(self, alice, bob, charlie, client_of, bob_asked_alice):
        assert client_of(alice).get(f"{URL}/{bob.id}").json()["relationship"] == "incoming"
        assert client_of(charlie).get(f"{URL}/{bob.id}").json()["relationship"] == "none"

    @pytest.mark.parametrize("id_", [uuid4(), "abc", "00000000-0000-0000-0000-00000000000g"])
    def test_nobody_is_404(self, alice, client_of, id_):
        response = client_of(alice).get(f"{URL}/{id_}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    def test_a_suspended_user_is_404(self, alice, bob, client_of):
        User.objects.filter(id=bob.id).update(is_active=False)
        assert client_of(alice).get(f"{URL}/{bob.id}").status_code == 404

    def test_an_anonymous_caller_gets_401(self, bob, anonymous):
        assert anonymous.get(f"{URL}/{bob.id}").status_code == 401

    def test_who_blocked_me_is_404_like_nobody(self, alice, bob, client_of):
        block_user(bob, user_id=alice.id)
        client = client_of(alice)
        hidden, nobody = (client.get(f"{URL}/{id_}") for id_ in (bob.id, uuid4()))
        assert hidden.status_code == 404
        assert [body.json() | {"request_id": ""} for body in (hidden, nobody)] == [
            nobody.json() | {"request_id": ""}
        ] * 2
        unblock_user(bob, user_id=alice.id)
        assert client.get(f"{URL}/{bob.id}").json()["relationship"] == "none"

    def test_whom_i_blocked_i_see_as_such_and_others_see_both(self, alice, bob, charlie, client_of):
        block_user(alice, user_id=bob.id)
        assert client_of(alice).get(f"{URL}/{bob.id}").json()["relationship"] == "blocked"
        for user in (alice, bob):
            assert client_of(charlie).get(f"{URL}/{user.id}").json()["relationship"] == "none"
