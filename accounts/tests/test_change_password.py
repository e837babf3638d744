"""POST /auth/password/change, and what a change means for logins and refreshes under way."""

from functools import partial

import pytest
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts import selectors, services, tokens
from accounts.models import Session, User
from accounts.services import Device
from accounts.tests.hashers import WatchedHasher
from core.errors import InvalidCredentials, SessionRevoked, ValidationFailed

URL = "/api/v1/auth/password/change"
LOGIN, REFRESH, ME = "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/users/me"
OLD, NEW = "alice-demo-2026", "worn-out-jumpy-tutor"
BODY = {"old_password": OLD, "new_password": NEW}


def change(session, old=OLD, new=NEW):
    user = User.objects.get(id=session.user_id)
    services.change_password(user, session_id=session.id, old_password=old, new_password=new)


def log_in(password):
    return services.login(login="alice", password=password, device=Device())


def live_ids():
    return set(Session.objects.filter(revoked_at=None).values_list("id", flat=True))


def broken_rules(errors):
    return {(error.attr, error.code) for error in errors}


class TestService:
    @pytest.mark.django_db(transaction=True)
    def test_the_sockets_of_the_other_sessions_are_closed_after_the_commit(self, alice, session_of, closed):
        here, phone, laptop = (session_of(alice) for _ in range(3))
        services.logout(alice, session_id=laptop.id)
        closed.clear()
        with transaction.atomic():
            change(here)
            assert closed == []
        assert closed == [(alice.id, [phone.id], "session_ended")]
        assert live_ids() == {here.id}

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_changes_and_closes_nothing(self, alice, session_of, closed):
        here, phone = session_of(alice), session_of(alice)
        with transaction.atomic():
            change(here)
            transaction.set_rollback(True)
        assert closed == []
        assert live_ids() == {here.id, phone.id}
        assert User.objects.get().check_password(OLD)

    def test_a_refusal_ends_no_session(self, alice, session_of, closed):
        here, phone = session_of(alice), session_of(alice)
        with pytest.raises(ValidationFailed):
            change(here, old="wrong")
        assert live_ids() == {here.id, phone.id}

    @pytest.mark.django_db(transaction=True)
    def test_a_session_that_has_ended_changes_nothing(self, alice, session_of):
        here, phone = session_of(alice), session_of(alice)
        services.logout(alice, session_id=here.id)
        with pytest.raises(SessionRevoked):
            change(here)
        assert live_ids() == {phone.id}
        assert User.objects.get().check_password(OLD)

    @pytest.mark.django_db(transaction=True)
    def test_passwords_are_hashed_outside_the_transaction(self, settings, session_of):
        settings.PASSWORD_HASHERS = ["accounts.tests.hashers.WatchedHasher"]
        dora = User.objects.create_user("dora", "dora@example.com", OLD)
        WatchedHasher.in_transaction.clear()
        change(session_of(dora))
        assert WatchedHasher.in_transaction == [False, False]

    def test_no_event_is_written(self, alice, session_of, events_of):
        change(session_of(alice))
        assert events_of(f"user:{alice.id}") == []


class TestRace:
    """What is under way when the password changes."""

    def test_a_login_whose_password_was_checked_before_is_refused(self, alice, session_of, monkeypatch):
        here = session_of(alice)
        look = selectors.user_with_credentials
        seen = []

        def look_then_change(login, password):
            seen.append(look(login, password))
            if len(seen) == 1:
                change(here)
            return seen[-1]

        monkeypatch.setattr(selectors, "user_with_credentials", look_then_change)
        with pytest.raises(InvalidCredentials):
            log_in(OLD)
        assert seen == [alice, None]
        assert live_ids() == {here.id}

    def test_a_login_whose_hash_was_renewed_meanwhile_goes_on(self, alice, monkeypatch):
        look = selectors.user_with_credentials
        seen = []

        def look_then_renew(login, password):
            seen.append(look(login, password))
            if len(seen) == 1:
                User.objects.update(password=make_password(OLD))
            return seen[-1]

        monkeypatch.setattr(selectors, "user_with_credentials", look_then_renew)
        assert log_in(OLD).user == alice
        assert (seen, Session.objects.count()) == ([alice, alice], 1)

    def test_renewing_a_hash_does_not_bring_the_old_password_back(self, alice, settings):
        before = User.objects.get()
        settings.PASSWORD_HASHERS = ["accounts.tests.hashers.WatchedHasher", *settings.PASSWORD_HASHERS]
        User.objects.update(password=make_password(NEW))
        assert before.check_password(OLD)
        after = User.objects.get()
        assert after.check_password(NEW)
        assert not after.check_password(OLD)

    def test_a_hash_by_older_parameters_is_renewed(self, alice, settings):
        settings.PASSWORD_HASHERS = ["accounts.tests.hashers.WatchedHasher", *settings.PASSWORD_HASHERS]
        assert log_in(OLD).user == alice
        assert User.objects.get().password.startswith("watched$")
        assert log_in(OLD).user == alice

    @pytest.mark.django_db(transaction=True)
    def test_no_session_made_with_the_old_password_survives(self, alice, session_of, race, settings):
        settings.PASSWORD_ATTEMPTS = settings.LOGIN_ATTEMPTS = 1000
        passwords = [OLD, NEW]
        for _ in range(10):
            old, new = passwords
            here = session_of(alice)
            outcomes = race(partial(change, here, old, new), *[partial(log_in, old)] * 5)
            assert outcomes[0] is None
            assert all(isinstance(found, Session | InvalidCredentials) for found in outcomes[1:])
            assert live_ids() == {here.id}
            passwords.reverse()

    @pytest.mark.django_db(transaction=True)
    def test_no_refresh_carries_another_session_over(self, alice, session_of, race, settings):
        settings.PASSWORD_ATTEMPTS = 1000
        passwords = [OLD, NEW]
        for _ in range(10):
            old, new = passwords
            here, others = session_of(alice), [session_of(alice) for _ in range(4)]
            refreshes = [partial(services.refresh, tokens.issue(other).refresh) for other in others]
            assert race(partial(change, here, old, new), *refreshes)[0] is None
            assert live_ids() == {here.id}
            for other in Session.objects.filter(id__in=[other.id for other in others]):
                with pytest.raises(SessionRevoked):
                    services.refresh(tokens.issue(other).refresh)
            passwords.reverse()

    @pytest.mark.django_db(transaction=True)
    def test_of_two_sessions_that_change_it_at_once_one_does(self, alice, session_of, race):
        sessions = [session_of(alice), session_of(alice)]
        outcomes = race(*(partial(change, session, OLD, f"{NEW}-{n}") for n, session in enumerate(sessions)))
        (winner,) = [number for number, outcome in enumerate(outcomes) if outcome is None]
        refused = outcomes[1 - winner]
        assert isinstance(refused, ValidationFailed)
        assert broken_rules(refused.errors) == {("old_password", "password_incorrect")}
        assert User.objects.get().check_password(f"{NEW}-{winner}")
        assert live_ids() == {sessions[winner].id}


class TestApi:
    def test_the_new_password_holds_and_the_old_one_does_not(self, alice, client_of, anonymous):
        response = client_of(alice).post(URL, BODY)
        assert (response.status_code, response.content) == (204, b"")
        assert anonymous.post(LOGIN, {"login": "alice", "password": NEW}).status_code == 200
        old = anonymous.post(LOGIN, {"login": "alice", "password": OLD})
        assert (old.status_code, old.json()["code"]) == (401, "invalid_credentials")

    def test_every_other_session_of_mine_ends(self, alice, bob, client_of, session_of, anonymous):
        here, there, bobs = client_of(alice), client_of(alice), client_of(bob)
        refresh = tokens.issue(session_of(alice)).refresh
        here.post(URL, BODY)
        assert here.get(ME).status_code == 200
        assert bobs.get(ME).status_code == 200
        after = there.get(ME)
        assert (after.status_code, after.json()["code"]) == (401, "session_revoked")
        refused = anonymous.post(REFRESH, {"refresh": refresh})
        assert (refused.status_code, refused.json()["code"]) == (401, "session_revoked")

    def test_my_own_refresh_token_goes_on(self, anonymous, alice):
        mine = anonymous.post(LOGIN, {"login": "alice", "password": OLD}).json()
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {mine['access']}")
        assert anonymous.post(URL, BODY).status_code == 204
        assert anonymous.post(REFRESH, {"refresh": mine["refresh"]}).status_code == 200

    @pytest.mark.parametrize(
        ("changes", "rules"),
        [
            ({"old_password": "wrong"}, {("old_password", "password_incorrect")}),
            ({"new_password": "q7-xzu"}, {("new_password", "password_too_short")}),
            ({"new_password": "alice@example"}, {("new_password", "password_too_similar")}),
            (
                {"old_password": "wrong", "new_password": "1234567"},
                {
                    ("old_password", "password_incorrect"),
                    ("new_password", "password_too_short"),
                    ("new_password", "password_too_common"),
                    ("new_password", "password_entirely_numeric"),
                },
            ),
            ({"new_password": "x" * 129}, {("new_password", "max_length")}),
            ({"new_password": 12345678}, {("new_password", "invalid")}),
            ({"old_password": None}, {("old_password", "null")}),
            ({"old_password": ""}, {("old_password", "blank")}),
        ],
    )
    def test_what_is_wrong_is_told(self, alice, client_of, changes, rules):
        client, other = client_of(alice), client_of(alice)
        response = client.post(URL, BODY | changes)
        assert (response.status_code, response.json()["code"]) == (400, "validation_error")
        assert {(error["attr"], error["code"]) for error in response.json()["errors"]} == rules
        assert other.get(ME).status_code == 200
        assert User.objects.get().check_password(OLD)

    def test_an_unknown_key_is_refused(self, alice, client_of):
        response = client_of(alice).post(URL, {**BODY, "user_id": "x"})
        assert (response.status_code, response.json()["code"]) == (400, "unknown_field")

    def test_guessing_has_an_end_for_the_user_and_for_nobody_else(self, alice, bob, client_of, settings):
        settings.PASSWORD_ATTEMPTS = 3
        codes = [
            client_of(alice).post(URL, BODY | {"old_password": f"guess-{n}"}).status_code for n in range(4)
        ]
        assert codes == [400, 400, 400, 429]
        refused = client_of(alice).post(URL, BODY)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused["Retry-After"]) == services.PASSWORD_SECONDS
        assert User.objects.get(id=alice.id).check_password(OLD)
        bobs = {"old_password": "bob-demo-2026", "new_password": NEW}
        assert client_of(bob).post(URL, bobs).status_code == 204

    def test_an_anonymous_caller_has_no_password(self, db, anonymous):
        response = anonymous.post(URL, BODY)
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")

    def test_it_takes_as_many_queries_however_many_sessions(
        self, alice, client_of, session_of, django_assert_num_queries
    ):
        client = client_of(alice)
        for _ in range(20):
            session_of(alice)
        # Who asks; the user; in a transaction the password, the sessions, their end.
        with django_assert_num_queries(5):
            client.post(URL, BODY)
