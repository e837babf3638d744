"""POST /auth/password/reset and /auth/password/reset/confirm."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.db.models import F

from accounts import services, tokens
from accounts.models import OneTimeCode, Session, User
from accounts.services import Device, codes
from accounts.tests.hashers import WatchedHasher
from core.errors import InvalidCredentials, ValidationFailed

ASK, URL = "/api/v1/auth/password/reset", "/api/v1/auth/password/reset/confirm"
LOGIN, REFRESH, ME = "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/users/me"
EMAIL, OLD, NEW = "alice@example.com", "alice-demo-2026", "worn-out-jumpy-tutor"
WRONG = "0000-0000"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def code(alice, mailed_code) -> str:
    services.request_password_reset(email=EMAIL, address=None)
    return mailed_code()


def reset(code, new=NEW):
    services.reset_password(email=EMAIL, code=code, new_password=new, address=None)


def log_in(password):
    return services.login(login="alice", password=password, device=Device())


def body(code, **changes):
    return {"email": EMAIL, "code": code, "new_password": NEW} | changes


def rules(response):
    return {(error["attr"], error["code"]) for error in response.json()["errors"]}


def password_is(password):
    return User.objects.get(username="alice").check_password(password)


class TestService:
    def test_all_sockets_are_closed_after_the_commit(self, alice, code, session_of, closed):
        session_of(alice)
        with transaction.atomic():
            reset(code)
            assert closed == []
        assert closed == [(alice.id, None, "session_ended")]

    def test_a_rollback_changes_closes_and_spends_nothing(self, alice, code, session_of, closed):
        session_of(alice)
        with transaction.atomic():
            reset(code)
            transaction.set_rollback(True)
        assert closed == []
        assert password_is(OLD)
        assert Session.objects.get().revoked_at is None
        reset(code)
        assert password_is(NEW)

    def test_the_password_is_hashed_outside_the_transaction(self, code, settings):
        settings.PASSWORD_HASHERS = ["accounts.tests.hashers.WatchedHasher", *settings.PASSWORD_HASHERS]
        WatchedHasher.in_transaction.clear()
        reset(code)
        assert WatchedHasher.in_transaction == [False]

    def test_no_event_is_written(self, alice, code, events_of):
        reset(code)
        assert events_of(f"user:{alice.id}") == []

    def test_of_parallel_ones_one_wins(self, alice, race, settings, mailed_code):
        settings.CODE_ATTEMPTS = settings.CODE_REQUESTS = 1000
        for number in range(10):
            services.request_password_reset(email=EMAIL, address=None)
            code = mailed_code()
            news = [f"{NEW}-{number}-{tab}" for tab in range(4)]
            outcomes = race(*(partial(reset, code, new) for new in news))
            (winner,) = [tab for tab, outcome in enumerate(outcomes) if outcome is None]
            assert [type(outcome) for outcome in outcomes if outcome] == [ValidationFailed] * 3
            assert password_is(news[winner])

    def test_no_session_made_with_the_old_password_survives(self, alice, race, settings, mailed_code):
        settings.CODE_ATTEMPTS = settings.CODE_REQUESTS = settings.LOGIN_ATTEMPTS = 1000
        passwords = [OLD, NEW]
        for _ in range(10):
            old, new = passwords
            services.request_password_reset(email=EMAIL, address=None)
            outcomes = race(partial(reset, mailed_code(), new), *[partial(log_in, old)] * 4)
            assert outcomes[0] is None
            assert all(isinstance(found, Session | InvalidCredentials) for found in outcomes[1:])
            assert not Session.objects.filter(revoked_at=None).exists()
            passwords.reverse()

    def test_of_codes_made_in_parallel_one_holds(self, alice, race, settings):
        settings.CODE_ATTEMPTS = 1000
        for _ in range(10):
            made = race(*[partial(codes._renew, alice, OneTimeCode.Purpose.RESET)] * 4)
            assert OneTimeCode.objects.count() == 1
            alice.refresh_from_db()
            (row,) = filter(None, (codes.try_code(alice, OneTimeCode.Purpose.RESET, code) for code in made))
            row.delete()


class TestAsk:
    def test_a_code_is_mailed_to_the_address(self, alice, anonymous, mails, mailed_code):
        response = anonymous.post(ASK, {"email": "Alice@Example.com"})
        assert (response.status_code, response.content) == (202, b"")
        (mail,) = mails()
        assert (mail.to, mail.subject) == ([EMAIL], "A new password")
        assert mailed_code() in mail.body
        assert password_is(OLD)

    def test_the_answer_is_the_same_for_all_and_costs_the_same(
        self, alice, bob, charlie, anonymous, mails, django_assert_num_queries
    ):
        User.objects.filter(id=bob.id).update(is_active=False)
        charlie.set_unusable_password()
        charlie.save()
        answers = []
        for name in ("alice", "bob", "charlie", "nobody"):
            # Whose requests to count; all else is done in the background.
            with django_assert_num_queries(1):
                response = anonymous.post(ASK, {"email": f"{name}@example.com"}, HTTP_X_REQUEST_ID="same")
            answers.append((response.status_code, response.content))
        assert answers == [answers[0]] * 4
        assert [mail.to for mail in mails()] == [[EMAIL]]

    def test_asking_has_an_end_for_whoever_asks(self, alice, anonymous, mails, settings):
        settings.CODE_REQUESTS = 2
        for email in (EMAIL, "nobody@example.com"):
            codes = [anonymous.post(ASK, {"email": email}).status_code for _ in range(3)]
            assert codes == [202, 202, 429]
        assert len(mails()) == 2

    @pytest.mark.parametrize(
        "odd", [{}, {"email": ""}, {"email": None}, {"email": "alice"}, {"email": 5}, []]
    )
    def test_what_is_no_address_is_refused(self, anonymous, odd):
        response = anonymous.post(ASK, odd)
        assert (response.status_code, response.json()["code"]) == (400, "validation_error")


class TestApi:
    def test_the_new_password_holds_and_the_old_one_does_not(self, code, anonymous):
        response = anonymous.post(URL, body(code))
        assert (response.status_code, response.content) == (204, b"")
        for password, status in ((NEW, 200), (OLD, 401)):
            assert anonymous.post(LOGIN, {"login": "alice", "password": password}).status_code == status

    def test_every_session_of_mine_ends_and_no_others(
        self, alice, bob, code, client_of, session_of, anonymous
    ):
        here, bobs, refresh = client_of(alice), client_of(bob), tokens.issue(session_of(alice)).refresh
        anonymous.post(URL, body(code))
        assert here.get(ME).json()["code"] == "session_revoked"
        assert anonymous.post(REFRESH, {"refresh": refresh}).json()["code"] == "session_revoked"
        assert bobs.get(ME).status_code == 200

    def test_it_works_once(self, code, anonymous):
        answers = [anonymous.post(URL, body(code, new_password=f"{NEW}-{n}")) for n in range(2)]
        assert [answer.status_code for answer in answers] == [204, 400]
        assert rules(answers[1]) == {("code", "code_incorrect")}
        assert password_is(f"{NEW}-0")

    def test_a_wrong_code_and_an_unknown_address_get_the_same_answer(self, code, bob, anonymous):
        User.objects.filter(id=bob.id).update(is_active=False)
        answers = []
        for email in (EMAIL, "nobody@example.com", "bob@example.com"):
            response = anonymous.post(URL, body(WRONG, email=email), HTTP_X_REQUEST_ID="same")
            answers.append((response.status_code, response.json()))
        assert answers[0] == answers[1] == answers[2]
        assert password_is(OLD)

    def test_they_cost_the_same(self, code, anonymous, settings):
        settings.PASSWORD_HASHERS = ["accounts.tests.hashers.WatchedHasher", *settings.PASSWORD_HASHERS]
        for email in (EMAIL, "nobody@example.com"):
            WatchedHasher.in_transaction.clear()
            anonymous.post(URL, body(WRONG, email=email))
            assert len(WatchedHasher.in_transaction) == 1

    @pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
    def test_with_a_wrong_code_nobody_learns_what_is_too_much_like_the_owner(self, code, anonymous, email):
        response = anonymous.post(URL, body(WRONG, email=email, new_password="alice@example"))
        assert rules(response) == {("code", "code_incorrect")}

    @pytest.mark.parametrize(
        ("password", "rule"),
        [
            ("q7-xzu", "password_too_short"),
            ("alice@example", "password_too_similar"),
            ("password123", "password_too_common"),
            ("84629105731", "password_entirely_numeric"),
        ],
    )
    def test_a_weak_password_is_refused_and_the_code_still_holds(self, code, anonymous, password, rule):
        response = anonymous.post(URL, body(code, new_password=password))
        assert (response.status_code, response.json()["code"]) == (400, "validation_error")
        assert rules(response) == {("new_password", rule)}
        assert password_is(OLD)
        assert anonymous.post(URL, body(code)).status_code == 204

    def test_a_code_ends_with_the_password_that_it_was_asked_for(self, alice, code, session_of, anonymous):
        changed = {"old_password": OLD, "new_password": f"{NEW}-changed"}
        services.change_password(alice, session_id=session_of(alice).id, **changed)
        assert rules(anonymous.post(URL, body(code))) == {("code", "code_incorrect")}
        assert password_is(f"{NEW}-changed")

    def test_a_code_ends_with_the_address_that_it_was_mailed_to(self, code, anonymous):
        User.objects.update(email="other@example.com", email_key="other@example.com")
        response = anonymous.post(URL, body(code, email="other@example.com"))
        assert rules(response) == {("code", "code_incorrect")}

    def test_it_ends(self, code, anonymous, settings):
        OneTimeCode.objects.update(expires_at=F("expires_at") - timedelta(seconds=settings.CODE_SECONDS))
        assert rules(anonymous.post(URL, body(code))) == {("code", "code_incorrect")}

    def test_it_is_nobody_elses(self, code, bob, anonymous):
        response = anonymous.post(URL, body(code, email="bob@example.com"))
        assert rules(response) == {("code", "code_incorrect")}
        assert User.objects.get(id=bob.id).check_password("bob-demo-2026")

    def test_who_was_suspended_meanwhile_gets_no_new_password(self, code, anonymous):
        User.objects.update(is_active=False)
        assert rules(anonymous.post(URL, body(code))) == {("code", "code_incorrect")}
        assert password_is(OLD)

    def test_guessing_has_an_end_for_an_address(self, code, anonymous, settings):
        settings.CODE_ATTEMPTS = 3
        assert [anonymous.post(URL, body(WRONG)).status_code for _ in range(4)] == [400] * 3 + [429]
        assert anonymous.post(URL, body(code)).status_code == 429
        assert anonymous.post(URL, body(code), REMOTE_ADDR="192.0.2.7").status_code == 204

    def test_a_login_that_is_locked_out_is_no_reason_to_wait(self, code, anonymous, settings):
        settings.LOGIN_ATTEMPTS = 1
        wrong = {"login": "alice", "password": "wrong"}
        assert [anonymous.post(LOGIN, wrong).status_code for _ in range(2)] == [401, 429]
        assert anonymous.post(URL, body(code)).status_code == 204

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            ({"code": ""}, ("code", "blank")),
            ({"code": 12345678}, ("code", "invalid")),
            ({"email": "alice"}, ("email", "invalid")),
            ({"new_password": "x" * 129}, ("new_password", "max_length")),
            ({"new_password": ""}, ("new_password", "blank")),
            ({"new_password": None}, ("new_password", "null")),
            ({"new_password": 12345678}, ("new_password", "invalid")),
        ],
    )
    def test_an_odd_body_is_refused(self, anonymous, change, rule):
        response = anonymous.post(URL, body(WRONG) | change)
        assert response.status_code == 400
        assert rules(response) == {rule}

    def test_an_unknown_key_is_refused(self, code, anonymous):
        response = anonymous.post(URL, body(code, is_staff=True))
        assert (response.status_code, response.json()["code"]) == (400, "unknown_field")
        assert password_is(OLD)

    def test_no_secret_gets_into_the_log(self, code, anonymous, caplog):
        for attempt in (WRONG, code):
            anonymous.post(URL, body(attempt))
        assert caplog.records
        assert not any(secret in caplog.text for secret in (code, code.replace("-", ""), NEW, EMAIL))
