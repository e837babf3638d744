"""POST /auth/login, and the same rule at Django's own login."""

import pytest
from django.contrib.auth import authenticate

from accounts import services
from accounts.models import Session, User
from accounts.services import Device
from accounts.tests.hashers import WatchedHasher

URL = "/api/v1/auth/login"
PASSWORD = "alice-demo-2026"


class TestService:
    @pytest.mark.django_db(transaction=True)
    def test_the_password_is_checked_outside_the_transaction(self, settings):
        settings.PASSWORD_HASHERS = ["accounts.tests.hashers.WatchedHasher"]
        User.objects.create_user("dora", "dora@example.com", "a-long-secret")
        WatchedHasher.in_transaction.clear()
        services.login(login="dora", password="a-long-secret", device=Device())
        assert WatchedHasher.in_transaction == [False]


class TestApi:
    @pytest.mark.parametrize(
        "login", ["alice", "ALICE", "ａｌｉｃｅ", " alice ", "alice@example.com", "Alice@Example.COM"]
    )
    def test_a_user_name_or_an_address_logs_in(self, alice, anonymous, login):
        response = anonymous.post(URL, {"login": login, "password": PASSWORD, "device_name": "Phone"})
        assert response.status_code == 200
        body = response.json()
        assert set(body) == {"user", "access", "refresh", "expires_in", "token_type"}
        assert body["user"]["id"] == str(alice.id)
        session = Session.objects.get()
        assert (session.user_id, session.device_name, session.ip) == (alice.id, "Phone", "127.0.0.1")
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access']}")
        assert anonymous.get("/api/v1/users/me").status_code == 200

    def test_every_login_is_a_session_of_its_own(self, alice, anonymous):
        for _ in range(2):
            anonymous.post(URL, {"login": "alice", "password": PASSWORD})
        assert Session.objects.filter(user=alice).count() == 2

    def test_unknown_user_and_wrong_password_get_the_same_answer(self, alice, anonymous):
        answers = []
        for login in ("alice", "nobody", "nobody@example.com"):
            response = anonymous.post(URL, {"login": login, "password": "wrong"}, HTTP_X_REQUEST_ID="same")
            assert response.status_code == 401
            assert response["WWW-Authenticate"] == "Bearer"
            answers.append(response.json())
        assert answers[0]["code"] == "invalid_credentials"
        assert answers[0] == answers[1] == answers[2]
        assert not Session.objects.exists()

    def test_unknown_user_and_wrong_password_cost_the_same(self, db, anonymous, settings):
        settings.PASSWORD_HASHERS = ["accounts.tests.hashers.WatchedHasher"]
        User.objects.create_user("dora", "dora@example.com", "a-long-secret")
        User.objects.create_user("robot", "robot@example.com", None)
        for login in ("dora", "nobody", "robot"):
            WatchedHasher.in_transaction.clear()
            anonymous.post(URL, {"login": login, "password": "wrong"})
            assert len(WatchedHasher.in_transaction) == 1, login

    def test_a_user_without_a_password_cannot_log_in(self, db, anonymous):
        user = User.objects.create_user("robot", "robot@example.com", None)
        response = anonymous.post(URL, {"login": "robot", "password": user.password})
        assert response.json()["code"] == "invalid_credentials"

    def test_a_suspended_user_is_told_only_after_the_right_password(self, alice, anonymous):
        User.objects.update(is_active=False)
        wrong = anonymous.post(URL, {"login": "alice", "password": "wrong"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
        right = anonymous.post(URL, {"login": "alice", "password": PASSWORD})
        assert (right.status_code, right.json()["code"]) == (403, "account_suspended")
        assert not Session.objects.exists()

    def test_a_stale_token_does_not_stand_in_the_way(self, alice, anonymous):
        anonymous.credentials(HTTP_AUTHORIZATION="Bearer not.a.token")
        assert anonymous.post(URL, {"login": "alice", "password": PASSWORD}).status_code == 200

    @pytest.mark.parametrize(
        ("change", "attr", "code"),
        [
            ({"login": ""}, "login", "blank"),
            ({"login": None}, "login", "null"),
            ({"login": 7}, "login", "invalid"),
            ({"password": "x" * 129}, "password", "max_length"),
            ({"device_name": "x" * 65}, "device_name", "max_length"),
            ({"device_name": "a\x1b[31mb"}, "device_name", "control_characters"),
        ],
    )
    def test_an_odd_body_is_refused(self, alice, anonymous, change, attr, code):
        response = anonymous.post(URL, {"login": "alice", "password": PASSWORD} | change)
        assert response.status_code == 400
        assert [(e["attr"], e["code"]) for e in response.json()["errors"]] == [(attr, code)]

    def test_it_takes_four_queries(self, alice, anonymous, django_assert_num_queries):
        # Whose attempts to count; the user; the lock on their row, and the session.
        with django_assert_num_queries(4):
            anonymous.post(URL, {"login": "alice", "password": PASSWORD})


class TestDjango:
    @pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.com"])
    def test_the_same_names_and_addresses_log_in(self, alice, login):
        assert authenticate(username=login, password=PASSWORD) == alice

    def test_a_wrong_password_does_not(self, alice):
        assert authenticate(username="alice", password="wrong") is None
        assert authenticate(username="alice") is None

    def test_a_suspended_user_does_not(self, alice):
        User.objects.update(is_active=False)
        assert authenticate(username="alice", password=PASSWORD) is None
