"""POST /auth/verify-email: what a code does, and what it does not."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.db.models import F

from accounts import services
from accounts.models import OneTimeCode, User
from accounts.services.attempts import ADDRESSES_PER_ACCOUNT, CODE_SECONDS
from core.errors import ValidationFailed
from eventlog.log import user_stream

URL = "/api/v1/auth/verify-email"
EMAIL = "alice@example.com"
WRONG = "0000-0000"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _optional(settings):
    settings.EMAIL_VERIFICATION = "optional"


@pytest.fixture
def code(alice, mailed_code) -> str:
    services.resend_verification(email=EMAIL, address=None)
    return mailed_code()


def verify(code, email=EMAIL, address=None):
    services.verify_email(email=email, code=code, address=address)


def is_verified():
    return User.objects.get(username="alice").email_verified


def rules(response):
    return [(error["attr"], error["code"]) for error in response.json()["errors"]]


class TestService:
    def test_my_devices_are_told_after_the_commit(self, alice, code, announced):
        with transaction.atomic():
            verify(code)
            assert announced() == []
        assert announced() == [(user_stream(alice.id), "account.updated")]

    def test_a_rollback_verifies_and_tells_nothing(self, alice, code, announced, events_of):
        with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - the rollback is the point
            verify(code)
            raise RuntimeError
        assert not is_verified()
        assert announced() == events_of(user_stream(alice.id)) == []
        verify(code)
        assert is_verified()

    def test_of_parallel_ones_one_wins(self, alice, race, settings, mailed_code, events_of):
        settings.CODE_ATTEMPTS = settings.CODE_REQUESTS = 1000
        for _ in range(10):
            User.objects.update(email_verified=False)
            services.resend_verification(email=EMAIL, address=None)
            outcomes = race(*[partial(verify, mailed_code())] * 4)
            assert [type(outcome) for outcome in outcomes if outcome] == [ValidationFailed] * 3
            assert is_verified()
        assert len(events_of(user_stream(alice.id))) == 10

    def test_every_wrong_one_counts_in_parallel_too(self, alice, code, race, settings):
        settings.CODE_ATTEMPTS = 1000
        for _ in range(3):
            race(*[partial(verify, WRONG)] * 6)
        assert OneTimeCode.objects.get().attempts == 18

    def test_the_database_never_sees_it(self, alice, code):
        row = OneTimeCode.objects.get()
        assert code not in str(vars(row))
        assert code.replace("-", "") not in str(vars(row))

    def test_someone_who_was_verified_meanwhile_is_told_nothing(self, alice, code, events_of):
        User.objects.update(email_verified=True)
        verify(code)
        assert events_of(user_stream(alice.id)) == []


class TestApi:
    def test_a_registration_mails_the_code_that_verifies(self, anonymous, mails, mailed_code, events_of):
        body = {"username": "dora", "email": "dora@example.com", "password": "a-long-secret"}
        me = anonymous.post("/api/v1/auth/register", body).json()
        (mail,) = mails()
        assert (mail.to, mail.subject) == (["dora@example.com"], "Verify your e-mail address")
        assert "dora" in mail.body
        response = anonymous.post(URL, {"email": "dora@example.com", "code": mailed_code()})
        assert (response.status_code, response.content) == (204, b"")
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {me['access']}")
        after = anonymous.get("/api/v1/users/me").json()
        assert after == me["user"] | {"email_verified": True}
        (event,) = events_of(user_stream(after["id"]))
        assert (event["type"], event["data"]) == ("account.updated", after)

    def test_it_works_once(self, code, anonymous):
        answers = [anonymous.post(URL, {"email": EMAIL, "code": code}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [204, 400]
        assert rules(answers[1]) == [("code", "code_incorrect")]

    @pytest.mark.parametrize(
        "change", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code} "]
    )
    def test_it_is_read_as_people_type_it(self, code, anonymous, change):
        assert anonymous.post(URL, {"email": EMAIL, "code": change(code)}).status_code == 204

    def test_letters_that_are_taken_for_others_are_those(self, code, anonymous):
        typed = code.replace("0", "o").replace("1", "l")
        assert anonymous.post(URL, {"email": " Alice@Example.COM ", "code": typed}).status_code == 204

    def test_a_wrong_code_and_an_unknown_address_get_the_same_answer(self, code, bob, anonymous):
        User.objects.filter(id=bob.id).update(is_active=False)
        answers = []
        for email in (EMAIL, "nobody@example.com", "bob@example.com"):
            response = anonymous.post(URL, {"email": email, "code": WRONG}, HTTP_X_REQUEST_ID="same")
            answers.append((response.status_code, response.json()))
        assert answers[0] == answers[1] == answers[2]
        assert answers[0][1]["errors"][0]["code"] == "code_incorrect"
        assert not is_verified()

    def test_it_is_nobody_elses(self, code, bob, anonymous):
        assert anonymous.post(URL, {"email": "bob@example.com", "code": code}).status_code == 400
        assert not User.objects.filter(email_verified=True).exists()

    def test_it_verifies_no_other_address_than_it_was_mailed_to(self, code, anonymous):
        User.objects.update(email="other@example.com", email_key="other@example.com")
        assert anonymous.post(URL, {"email": "other@example.com", "code": code}).status_code == 400
        assert not is_verified()

    def test_it_ends(self, code, anonymous, settings):
        OneTimeCode.objects.update(expires_at=F("expires_at") - timedelta(seconds=settings.CODE_SECONDS))
        assert anonymous.post(URL, {"email": EMAIL, "code": code}).status_code == 400
        assert not is_verified()

    def test_a_new_one_ends_the_one_before(self, code, anonymous, mailed_code):
        services.resend_verification(email=EMAIL, address=None)
        newer = mailed_code()
        assert anonymous.post(URL, {"email": EMAIL, "code": code}).status_code == 400
        assert anonymous.post(URL, {"email": EMAIL, "code": newer}).status_code == 204

    def test_one_for_a_password_verifies_nothing(self, alice, anonymous, mailed_code):
        services.request_password_reset(email=EMAIL, address=None)
        assert anonymous.post(URL, {"email": EMAIL, "code": mailed_code()}).status_code == 400

    def test_guessing_has_an_end_for_an_address(self, code, anonymous, settings):
        settings.CODE_ATTEMPTS = 3
        body = {"email": EMAIL, "code": WRONG}
        assert [anonymous.post(URL, body).status_code for _ in range(4)] == [400] * 3 + [429]
        refused = anonymous.post(URL, body | {"code": code})
        assert (refused.status_code, refused["Retry-After"]) == (429, str(CODE_SECONDS))
        # The owner is elsewhere, and the code still holds.
        elsewhere = anonymous.post(URL, body | {"code": code}, REMOTE_ADDR="192.0.2.7")
        assert elsewhere.status_code == 204

    def test_guessing_has_an_end_for_a_code(self, code, anonymous, settings):
        settings.CODE_ATTEMPTS = 1
        addresses = [f"10.0.0.{number}" for number in range(ADDRESSES_PER_ACCOUNT)]
        for address in addresses:
            assert (
                anonymous.post(URL, {"email": EMAIL, "code": WRONG}, REMOTE_ADDR=address).status_code == 400
            )
        settings.CODE_ATTEMPTS = 1000
        OneTimeCode.objects.update(attempts=1000 * ADDRESSES_PER_ACCOUNT)
        assert anonymous.post(URL, {"email": EMAIL, "code": code}, REMOTE_ADDR="10.0.1.1").status_code == 400

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            ({"code": ""}, ("code", "blank")),
            ({"code": None}, ("code", "null")),
            ({"code": 12345678}, ("code", "invalid")),
            ({"code": "x" * 33}, ("code", "max_length")),
            ({"code": "a\x07b"}, ("code", "control_characters")),
            ({"email": "alice"}, ("email", "invalid")),
            ({"email": None}, ("email", "null")),
            ({"email": ["x"]}, ("email", "invalid")),
            ({"email": "x" * 250 + "@example.com"}, ("email", "max_length")),
        ],
    )
    def test_an_odd_body_is_refused(self, anonymous, change, rule):
        response = anonymous.post(URL, {"email": EMAIL, "code": WRONG} | change)
        assert response.status_code == 400
        assert set(rules(response)) == {rule}

    def test_an_unknown_key_is_refused(self, code, anonymous):
        response = anonymous.post(URL, {"email": EMAIL, "code": code, "user_id": "x"})
        assert (response.status_code, response.json()["code"]) == (400, "unknown_field")
        assert not is_verified()
