"""GET and PATCH /users/me."""

from functools import partial

import pytest
from django.db import transaction

from accounts import services
from accounts.models import User
from core.errors import ValidationFailed
from eventlog.log import user_stream

URL = "/api/v1/users/me"


class TestService:
    @pytest.mark.django_db(transaction=True)
    def test_my_devices_are_told_after_the_commit(self, alice, announced):
        with transaction.atomic():
            services.update_me(alice, bio="Hello")
            assert announced() == []
        assert announced() == [(user_stream(alice.id), "account.updated")]

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_tells_nothing(self, alice, announced, events_of):
        with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - the rollback is the point
            services.update_me(alice, bio="Hello")
            raise RuntimeError
        assert announced() == []
        assert events_of(user_stream(alice.id)) == []
        assert User.objects.get().bio == ""

    @pytest.mark.parametrize("change", [{}, {"bio": ""}, {"username": "alice", "display_name": ""}])
    def test_no_change_is_no_event(self, alice, events_of, change):
        services.update_me(alice, **change)
        assert events_of(user_stream(alice.id)) == []

    def test_other_columns_are_left_alone(self, alice):
        User.objects.update(is_active=False, email_verified=True)
        services.update_me(alice, bio="Hello")
        user = User.objects.get()
        assert (user.bio, user.is_active, user.email_verified) == ("Hello", False, True)

    @pytest.mark.django_db(transaction=True)
    def test_of_parallel_ones_to_the_same_name_one_wins(self, alice, bob, race):
        outcomes = race(*(partial(services.update_me, user, username="Zoe") for user in (alice, bob)))
        assert [rule.code for o in outcomes if isinstance(o, ValidationFailed) for rule in o.errors] == [
            "unique"
        ]
        assert User.objects.filter(username_key="zoe").count() == 1


class TestApi:
    def test_my_account(self, alice, client_of):
        body = client_of(alice).get(URL).json()
        assert set(body) == {
            "id",
            "username",
            "display_name",
            "avatar_url",
            "is_bot",
            "bio",
            "created_at",
            "presence",
            "email",
            "email_verified",
            "is_staff",
            "settings",
            "suspension",
        }
        assert (body["id"], body["username"], body["email"]) == (str(alice.id), "alice", "alice@example.com")

    def test_the_profile_changes_and_the_event_is_the_answer(self, alice, client_of, events_of):
        change = {"username": "Alicia", "display_name": "Alice A.", "bio": "Line one\nLine two 👩‍🚀"}
        response = client_of(alice).patch(URL, change)
        assert response.status_code == 200
        body = response.json()
        assert body | change == body
        (event,) = events_of(user_stream(alice.id))
        assert event | {"ts": ""} == {
            "type": "account.updated",
            "stream": user_stream(alice.id),
            "pos": 1,
            "ts": "",
            "data": body,
        }

    def test_what_is_not_given_stays(self, alice, client_of):
        client = client_of(alice)
        client.patch(URL, {"display_name": "Alice A.", "bio": "Hello"})
        body = client.patch(URL, {"bio": "Bye"}).json()
        assert (body["display_name"], body["bio"], body["username"]) == ("Alice A.", "Bye", "alice")

    def test_an_empty_display_name_shows_the_user_name(self, alice, client_of):
        client = client_of(alice)
        client.patch(URL, {"display_name": "Alice A."})
        assert client.patch(URL, {"display_name": " "}).json()["display_name"] == "alice"

    def test_the_new_name_logs_in(self, alice, client_of, anonymous):
        client_of(alice).patch(URL, {"username": "Alicia"})
        for login, status in (("alicia", 200), ("alice", 401)):
            body = {"login": login, "password": "alice-demo-2026"}
            assert anonymous.post("/api/v1/auth/login", body).status_code == status

    def test_my_own_name_in_another_case_is_free(self, alice, client_of):
        assert client_of(alice).patch(URL, {"username": "ALICE"}).json()["username"] == "ALICE"

    @pytest.mark.parametrize("name", ["bob", "BOB", "ｂｏｂ", " bob "])
    def test_a_name_of_someone_else_is_taken(self, alice, bob, client_of, events_of, name):
        response = client_of(alice).patch(URL, {"username": name})
        assert response.status_code == 400
        assert [(e["attr"], e["code"]) for e in response.json()["errors"]] == [("username", "unique")]
        assert events_of(user_stream(alice.id)) == []

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"username": "ab"}, "min_length"),
            ({"username": "a/b/c"}, "invalid"),
            ({"username": None}, "null"),
            ({"display_name": "x" * 65}, "max_length"),
            ({"display_name": "a\u2028b"}, "control_characters"),
            ({"display_name": 5}, "invalid"),
            ({"bio": "x" * 501}, "max_length"),
            ({"bio": None}, "null"),
            ([], "invalid"),
        ],
    )
    def test_an_odd_change_is_refused(self, alice, client_of, change, code):
        response = client_of(alice).patch(URL, change)
        assert response.status_code == 400
        assert response.json()["code"] == "validation_error"
        assert [e["code"] for e in response.json()["errors"]] == [code]

    @pytest.mark.parametrize("key", ["email", "is_staff", "last_seen", "id", "password", "username_key"])
    def test_other_keys_are_unknown(self, alice, client_of, key):
        response = client_of(alice).patch(URL, {key: "x", "bio": "Hello"})
        assert (response.status_code, response.json()["code"]) == (400, "unknown_field")
        assert User.objects.get().bio == ""

    def test_an_anonymous_caller_gets_401(self, db, anonymous):
        assert anonymous.get(URL).status_code == 401
        assert anonymous.patch(URL, {"bio": "x"}).status_code == 401
