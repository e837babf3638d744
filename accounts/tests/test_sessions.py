"""GET /auth/sessions and DELETE /auth/sessions/{id}."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import Session

URL = "/api/v1/auth/sessions"


class TestList:
    def test_my_sessions_newest_first(self, alice, bob, client_of, session_of):
        client = client_of(alice)
        session_of(bob)
        phone = session_of(alice)
        Session.objects.filter(id=phone.id).update(device_name="Phone", ip="192.0.2.7", user_agent="Agent/1")
        body = client.get(URL).json()
        assert set(body) == {"results", "next_cursor", "previous_cursor"}
        assert [row["current"] for row in body["results"]] == [False, True]
        found = body["results"][0]
        assert set(found) == {
            "id",
            "device_name",
            "ip",
            "user_agent",
            "created_at",
            "last_used_at",
            "current",
        }
        assert (found["id"], found["device_name"], found["ip"], found["user_agent"]) == (
            str(phone.id),
            "Phone",
            "192.0.2.7",
            "Agent/1",
        )

    def test_their_address_is_not_what_a_client_says_of_itself(self, server):
        body = {"username": "alice", "email": "alice@example.com", "password": "worn-out-jumpy-tutor"}
        headers = {"X-Forwarded-For": "198.51.100.1", "X-Real-IP": "198.51.100.1"}
        httpx.post(f"{server.http}/api/v1/auth/register", json=body, headers=headers).raise_for_status()
        assert Session.objects.get().ip == "127.0.0.1"

    def test_behind_a_proxy_it_is_what_the_proxy_saw(self, alice, anonymous, settings):
        settings.TRUSTED_PROXIES = 1
        body = {"login": "alice", "password": "alice-demo-2026"}
        anonymous.post("/api/v1/auth/login", body, HTTP_X_FORWARDED_FOR="198.51.100.1, 192.0.2.7")
        assert Session.objects.get().ip == "192.0.2.7"

    def test_ended_and_expired_ones_are_not_listed(self, alice, client_of, session_of):
        client = client_of(alice)
        Session.objects.filter(id=session_of(alice).id).update(revoked_at=timezone.now())
        Session.objects.filter(id=session_of(alice).id).update(
            expires_at=timezone.now() - timedelta(seconds=1)
        )
        assert [row["current"] for row in client.get(URL).json()["results"]] == [True]

    def test_it_is_paged(self, alice, client_of, session_of):
        client = client_of(alice)
        for _ in range(4):
            session_of(alice)
        first = client.get(URL, {"limit": 3}).json()
        second = client.get(URL, {"limit": 3, "cursor": first["next_cursor"]}).json()
        assert len({row["id"] for row in first["results"] + second["results"]}) == 5
        assert second["next_cursor"] is None

    def test_an_anonymous_caller_gets_401(self, db, anonymous):
        assert anonymous.get(URL).json()["code"] == "not_authenticated"

    def test_queries_do_not_grow_with_the_list(self, alice, client_of, session_of, django_assert_num_queries):
        client = client_of(alice)
        for _ in range(5):
            session_of(alice)
        with django_assert_num_queries(2):
            client.get(URL)


class TestDelete:
    @pytest.mark.django_db(transaction=True)
    def test_another_device_of_mine_is_logged_out(self, alice, client_of, session_of, anonymous, closed):
        client, phone = client_of(alice), session_of(alice)
        assert client.delete(f"{URL}/{phone.id}").status_code == 204
        assert closed == [(alice.id, [phone.id], "session_ended")]
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(phone).access}")
        assert anonymous.get("/api/v1/users/me").json()["code"] == "session_revoked"
        assert client.get(URL).status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_a_stranger_gets_404(self, alice, charlie, client_of, session_of, closed):
        session = session_of(alice)
        response = client_of(charlie).delete(f"{URL}/{session.id}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert tokens.live_session(session.id) == session
        assert closed == []

    def test_twice_is_404(self, alice, client_of, session_of):
        client, phone = client_of(alice), session_of(alice)
        assert [client.delete(f"{URL}/{phone.id}").status_code for _ in range(2)] == [204, 404]

    @pytest.mark.parametrize("id_", [uuid4(), "abc", "1"])
    def test_what_is_not_there_is_404(self, alice, client_of, id_):
        assert client_of(alice).delete(f"{URL}/{id_}").json()["code"] == "not_found"

    def test_an_anonymous_caller_gets_401(self, alice, session_of, anonymous):
        assert anonymous.delete(f"{URL}/{session_of(alice).id}").status_code == 401
