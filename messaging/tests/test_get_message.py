import pytest

from rooms.services import create_room, leave_room

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(alice, bob, say):
    """bob's answer to alice."""
    return say(bob, "Yes", reply_to=str(say(alice, "Tea?").id))


class TestApi:
    def test_a_member_sees_it_as_in_the_history(self, alice, message, client_of):
        client = client_of(alice)
        answer = client.get(f"/api/v1/messages/{message.id}")
        assert answer.status_code == 200
        assert answer.json() == client.get("/api/v1/rooms/kitchen/messages").json()["results"][0]
        assert (answer.json()["content"], answer.json()["reply_to"]["excerpt"]) == ("Yes", "Tea?")

    def test_a_stranger_gets_404_with_a_room_of_their_own_too(self, charlie, message, client_of):
        create_room(charlie, name="Mine")
        answer = client_of(charlie).get(f"/api/v1/messages/{message.id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_one_who_left_gets_404_for_their_own_message(self, bob, message, client_of):
        leave_room(bob, room_key="kitchen")
        assert client_of(bob).get(f"/api/v1/messages/{message.id}").status_code == 404

    @pytest.mark.parametrize("id_", ["0198a1b2-0000-7000-8000-000000000001", "1", "x", "0198a1b2"])
    def test_what_is_not_there_is_404_and_looks_the_same(self, alice, charlie, message, client_of, id_):
        missing = client_of(alice).get(f"/api/v1/messages/{id_}")
        hidden = client_of(charlie).get(f"/api/v1/messages/{message.id}")
        assert missing.status_code == 404
        assert missing.json() | {"request_id": ""} == hidden.json() | {"request_id": ""}

    def test_anonymous_gets_401(self, message, anonymous):
        assert anonymous.get(f"/api/v1/messages/{message.id}").status_code == 401

    def test_three_queries_do_it(self, alice, message, client_of, django_assert_num_queries):
        client = client_of(alice)
        with django_assert_num_queries(3):  # the session, the message, what it answers
            client.get(f"/api/v1/messages/{message.id}")
