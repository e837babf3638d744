"""How often a password may be tried, over the API and in the console, and who has to wait then."""

from functools import partial

import pytest
from django.db import OperationalError

from accounts import selectors, services
from accounts.models import Session, User
from accounts.services import Device, attempts
from accounts.services.attempts import ACCOUNTS_PER_ADDRESS, ADDRESSES_PER_ACCOUNT
from accounts.tests.hashers import WatchedHasher
from core import limits
from core.errors import InvalidCredentials, RateLimited

URL = "/api/v1/auth/login"
HOME, OFFICE = "192.0.2.7", "198.51.100.1"
GUESS = "wrong"
SECONDS = 86_400
"""So long that no test outlasts it."""


@pytest.fixture(autouse=True)
def _few(settings, monkeypatch):
    settings.LOGIN_ATTEMPTS = 3
    monkeypatch.setattr(attempts, "LOGIN_SECONDS", SECONDS)


@pytest.fixture
def log_in(anonymous):
    """A login from an address: (status, code)."""

    def ask(login: str, password: str = GUESS, address: str = HOME) -> tuple[int, str | None]:
        response = anonymous.post(URL, {"login": login, "password": password}, REMOTE_ADDR=address)
        return response.status_code, response.json().get("code")

    return ask


@pytest.fixture
def right(log_in):
    """The same with the right password of one of the cast."""
    return lambda name, address=HOME: log_in(name, f"{name}-demo-2026", address)


REFUSED, WRONG, IN = (429, "rate_limited"), (401, "invalid_credentials"), (200, None)


def everywhere(count):
    return [f"10.0.{number // 250}.{number % 250}" for number in range(count)]


class TestService:
    @pytest.mark.django_db(transaction=True)
    def test_of_parallel_attempts_no_more_are_made_than_there_is_room_for(self, alice, race):
        guess = partial(services.login, login="alice", password="wrong", device=Device(ip=HOME))
        outcomes = race(*[guess] * 12)
        assert [type(outcome) for outcome in outcomes].count(InvalidCredentials) == 3
        assert [type(outcome) for outcome in outcomes].count(RateLimited) == 9

    def test_none_is_counted_while_the_database_is_away(self, alice, monkeypatch):
        def away(login, password):
            raise OperationalError

        log_in = partial(services.login, login="alice", device=Device(ip=HOME))
        with monkeypatch.context() as outage:
            outage.setattr(selectors, "user_with_credentials", away)
            for _ in range(5):
                with pytest.raises(OperationalError):
                    log_in(password="alice-demo-2026")
        assert log_in(password="alice-demo-2026").user == alice

    def test_without_an_address_they_count_for_the_account(self, alice):
        for expected in [InvalidCredentials] * 3 + [RateLimited]:
            with pytest.raises(expected):
                services.login(login="alice", password="wrong", device=Device())
        with pytest.raises(InvalidCredentials):
            services.login(login="bob", password="wrong", device=Device())


class TestApi:
    def test_after_some_wrong_passwords_the_right_one_is_refused_too(self, alice, log_in, right):
        assert [log_in("alice") for _ in range(4)] == [WRONG] * 3 + [REFUSED]
        assert right("alice") == REFUSED
        assert not Session.objects.exists()

    def test_the_answer_says_when_to_come_back(self, alice, anonymous, log_in):
        for _ in range(3):
            log_in("alice")
        response = anonymous.post(URL, {"login": "alice", "password": "x"}, REMOTE_ADDR=HOME)
        assert response["Retry-After"] == str(SECONDS)
        assert response.json()["retry_after"] == SECONDS

    def test_the_owner_gets_in_from_elsewhere(self, alice, log_in, right):
        for _ in range(10):
            log_in("alice", address=OFFICE)
        assert log_in("alice", address=OFFICE) == REFUSED
        assert right("alice", HOME) == IN

    def test_others_get_in_from_the_same_address(self, alice, bob, log_in, right):
        for _ in range(10):
            log_in("alice")
        assert right("bob") == IN

    def test_an_account_is_one_by_whatever_name(self, alice, log_in):
        names = ["alice", "ALICE", "ａｌｉｃｅ", "alice@example.com", " Alice@Example.com"]
        assert [log_in(name) for name in names] == [WRONG] * 3 + [REFUSED] * 2

    def test_nobody_learns_whether_there_is_such_an_account(self, alice, anonymous):
        answers = []
        for login in ("alice", "nobody"):
            for _ in range(5):
                response = anonymous.post(URL, {"login": login, "password": "x"}, HTTP_X_REQUEST_ID="same")
                answers.append((response.status_code, response.json(), response.get("Retry-After")))
        assert answers[:5] == answers[5:]

    def test_a_refusal_takes_as_long_for_all(self, db, log_in, settings, django_assert_num_queries):
        settings.PASSWORD_HASHERS = ["accounts.tests.hashers.WatchedHasher"]
        User.objects.create_user("dora", "dora@example.com", "a-long-secret")
        for login in ("dora", "nobody", "nobody@example.com"):
            for _ in range(3):
                log_in(login)
            WatchedHasher.in_transaction.clear()
            with django_assert_num_queries(1):
                assert log_in(login) == REFUSED
            assert WatchedHasher.in_transaction == []

    def test_who_logs_in_is_not_counted_however_often(self, alice, right):
        assert [right("alice") for _ in range(8)] == [IN] * 8

    def test_a_success_takes_no_failure_back(self, alice, log_in, right):
        assert [log_in("alice"), log_in("alice"), right("alice"), log_in("alice")] == [
            WRONG,
            WRONG,
            IN,
            WRONG,
        ]
        assert [log_in("alice"), right("alice")] == [REFUSED] * 2

    def test_an_address_can_not_try_one_password_at_all_accounts(self, bob, log_in, right):
        most = 3 * ACCOUNTS_PER_ADDRESS
        outcomes = [log_in(f"nobody{number}") for number in range(most + 1)]
        assert outcomes == [WRONG] * most + [REFUSED]
        assert right("bob") == REFUSED
        assert right("bob", OFFICE) == IN

    def test_an_own_account_in_between_does_not_help(self, bob, log_in, right):
        most = 3 * ACCOUNTS_PER_ADDRESS
        outcomes = []
        for number in range(most + 1):
            outcomes.append(log_in(f"nobody{number}"))
            right("bob")
        assert outcomes == [WRONG] * most + [REFUSED]

    def test_ipv6_addresses_of_one_network_are_one(self, alice, log_in):
        addresses = [f"2001:db8:1:2::{number:x}" for number in range(4)]
        assert [log_in("alice", address=address) for address in addresses] == [WRONG] * 3 + [REFUSED]
        assert log_in("alice", address="2001:db8:1:3::1") == WRONG

    def test_an_account_can_not_be_tried_from_everywhere_for_ever(self, alice, bob, log_in, right):
        most = 3 * ADDRESSES_PER_ACCOUNT
        addresses = everywhere(most + 1)
        assert [log_in("alice", address=address) for address in addresses] == [WRONG] * most + [REFUSED]
        assert right("alice", HOME) == REFUSED
        assert right("bob", HOME) == IN

    @pytest.mark.parametrize("known", [HOME, "2001:db8:1:2::9"])
    def test_its_owner_gets_in_then_from_where_they_have_been(self, alice, log_in, right, known):
        assert right("alice", "2001:db8:1:2::1" if ":" in known else known) == IN
        for address in everywhere(3 * ADDRESSES_PER_ACCOUNT + 1):
            log_in("alice", address=address)
        assert right("alice", OFFICE) == REFUSED
        assert right("alice", known) == IN
        # But nobody guesses from there for ever, either.
        assert [log_in("alice", address=known) for _ in range(4)] == [WRONG] * 3 + [REFUSED]

    def test_a_suspended_user_with_the_right_password_is_told_that(self, alice, right):
        User.objects.update(is_active=False)
        assert [right("alice") for _ in range(5)] == [(403, "account_suspended")] * 5

    def test_no_name_and_no_password_gets_into_the_store(self, alice, log_in, monkeypatch):
        take, keys = limits.take, []

        def look_and_take(limit, key):
            keys.append(key)
            return take(limit, key)

        monkeypatch.setattr(limits, "take", look_and_take)
        log_in("my-secret-by-mistake")
        log_in("alice@example.com")
        assert keys
        assert not any("secret" in key or "alice" in key for key in keys)


class TestConsole:
    @pytest.fixture
    def enter(self, client, charlie):
        User.objects.filter(id=charlie.id).update(is_staff=True)

        def ask(password, address=HOME):
            form = {"username": "charlie", "password": password}
            response = client.post("/admin/login/?next=/admin/", form, REMOTE_ADDR=address)
            if response.status_code == 302:
                return "in"
            return response.context["form"].errors.as_data()["__all__"][0].code

        return ask

    def test_it_has_the_same_limit(self, enter):
        outcomes = [enter("wrong") for _ in range(4)]
        assert outcomes == ["invalid_login"] * 3 + ["rate_limited"]
        assert enter("charlie-demo-2026") == "rate_limited"
        assert enter("charlie-demo-2026", OFFICE) == "in"

    def test_and_the_same_count(self, enter, log_in):
        for _ in range(3):
            log_in("charlie")
        assert enter("charlie-demo-2026") == "rate_limited"

    def test_who_logs_in_is_not_counted(self, enter):
        assert [enter("charlie-demo-2026") for _ in range(5)] == ["in"] * 5

    def test_an_empty_form_is_no_attempt_at_an_account(self, client, db):
        for _ in range(5):
            assert client.post("/admin/login/", {}).status_code == 200
