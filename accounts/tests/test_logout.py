"""POST /auth/logout and /auth/logout-all."""

import pytest
from django.db import transaction

from accounts import services, tokens
from accounts.models import Session

LOGOUT = "/api/v1/auth/logout"
LOGOUT_ALL = "/api/v1/auth/logout-all"
ME = "/api/v1/users/me"


class TestService:
    def test_sockets_are_closed_after_the_commit(
        self, alice, session_of, closed, django_capture_on_commit_callbacks
    ):
        session = session_of(alice)
        with django_capture_on_commit_callbacks(execute=True):
            services.logout(alice, session_id=session.id)
            assert closed == []
        assert closed == [(alice.id, [session.id], "session_ended")]

    def test_all_sockets_are_closed_after_the_commit(
        self, alice, session_of, closed, django_capture_on_commit_callbacks
    ):
        session_of(alice)
        with django_capture_on_commit_callbacks(execute=True):
            services.logout_all(alice)
            assert closed == []
        assert closed == [(alice.id, None, "session_ended")]

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_closes_nothing(self, alice, session_of, closed):
        session = session_of(alice)
        with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - the rollback is the point
            services.logout(alice, session_id=session.id)
            raise RuntimeError
        assert closed == []
        assert tokens.live_session(session.id) == session

    def test_no_event_is_written(self, alice, session_of, events_of):
        services.logout(alice, session_id=session_of(alice).id)
        services.logout_all(alice)
        assert events_of(f"user:{alice.id}") == []

    def test_nobody_ends_the_session_of_someone_else(self, alice, charlie, session_of):
        session = session_of(alice)
        services.logout(charlie, session_id=session.id)
        assert tokens.live_session(session.id) == session


class TestApi:
    def test_only_this_session_ends(self, alice, client_of):
        phone, laptop = client_of(alice), client_of(alice)
        response = phone.post(LOGOUT)
        assert (response.status_code, response.content) == (204, b"")
        after = phone.get(ME)
        assert (after.status_code, after.json()["code"]) == (401, "session_revoked")
        assert laptop.get(ME).status_code == 200

    def test_every_session_of_mine_ends(self, alice, bob, client_of):
        phone, laptop, bobs = client_of(alice), client_of(alice), client_of(bob)
        assert phone.post(LOGOUT_ALL).status_code == 204
        for client in (phone, laptop):
            assert client.get(ME).json()["code"] == "session_revoked"
        assert bobs.get(ME).status_code == 200
        assert Session.objects.filter(user=alice, revoked_at=None).count() == 0

    def test_a_second_logout_finds_no_session(self, alice, client_of):
        client = client_of(alice)
        client.post(LOGOUT)
        assert client.post(LOGOUT).json()["code"] == "session_revoked"

    @pytest.mark.parametrize("url", [LOGOUT, LOGOUT_ALL])
    def test_an_anonymous_caller_has_none(self, db, anonymous, url):
        response = anonymous.post(url)
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize("url", [LOGOUT, LOGOUT_ALL])
    def test_it_takes_two_queries(self, alice, client_of, django_assert_num_queries, url):
        client = client_of(alice)
        with django_assert_num_queries(2):
            client.post(url)
