"""POST /auth/verify-email/resend: who gets a mail, and that nobody learns who does."""

import socket

import pytest

from accounts.models import OneTimeCode, User
from accounts.services.attempts import ADDRESSES_PER_ACCOUNT

URL = "/api/v1/auth/verify-email/resend"
EMAIL = "alice@example.com"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _optional(settings):
    settings.EMAIL_VERIFICATION = "optional"


class TestApi:
    def test_a_code_is_mailed_to_the_address(self, alice, anonymous, mails, mailed_code):
        response = anonymous.post(URL, {"email": EMAIL})
        assert (response.status_code, response.content) == (202, b"")
        (mail,) = mails()
        assert mail.to == [EMAIL]
        assert mailed_code() not in mail.subject
        assert "30 minutes" in mail.body

    def test_one_row_is_kept_however_often(self, alice, anonymous, mails):
        for _ in range(3):
            anonymous.post(URL, {"email": EMAIL})
        assert len(mails()) == 3
        assert OneTimeCode.objects.count() == 1

    def test_the_answer_is_the_same_for_all_and_costs_the_same(
        self, alice, bob, charlie, anonymous, mails, django_assert_num_queries
    ):
        User.objects.filter(id=bob.id).update(email_verified=True)
        User.objects.filter(id=charlie.id).update(is_active=False)
        answers = []
        for name in ("alice", "bob", "charlie", "nobody"):
            # Whose requests to count; all else is done in the background.
            with django_assert_num_queries(1):
                response = anonymous.post(URL, {"email": f"{name}@example.com"}, HTTP_X_REQUEST_ID="same")
            answers.append((response.status_code, response.content))
        assert answers == [answers[0]] * 4
        assert [mail.to for mail in mails()] == [[EMAIL]]

    def test_the_mail_goes_to_the_address_of_the_account_not_to_one_that_looks_like_it(
        self, alice, anonymous, mails
    ):
        for typed in ("ALICE@ｅxample.com", "Alice@EXAMPLE.com"):
            assert anonymous.post(URL, {"email": typed}).status_code == 202
        assert [mail.to for mail in mails()] == [[EMAIL]] * 2

    def test_nothing_is_mailed_where_addresses_are_not_verified(self, alice, anonymous, mails, settings):
        settings.EMAIL_VERIFICATION = "off"
        assert anonymous.post(URL, {"email": EMAIL}).status_code == 202
        body = {"username": "dora", "email": "dora@example.com", "password": "a-long-secret"}
        assert anonymous.post("/api/v1/auth/register", body).status_code == 201
        assert mails() == []

    def test_asking_has_an_end_for_whoever_asks(self, alice, anonymous, mails, settings):
        settings.CODE_REQUESTS = 2
        for email in (EMAIL, "nobody@example.com"):
            codes = [anonymous.post(URL, {"email": email}).status_code for _ in range(3)]
            assert codes == [202, 202, 429]
        assert len(mails()) == 2
        assert anonymous.post(URL, {"email": EMAIL}, REMOTE_ADDR="192.0.2.7").status_code == 202

    def test_no_inbox_is_flooded_from_everywhere(self, alice, anonymous, mails, settings):
        settings.CODE_REQUESTS = 1
        addresses = [f"10.0.0.{number}" for number in range(ADDRESSES_PER_ACCOUNT + 5)]
        codes = [
            anonymous.post(URL, {"email": EMAIL}, REMOTE_ADDR=address).status_code for address in addresses
        ]
        assert codes == [202] * ADDRESSES_PER_ACCOUNT + [429] * 5
        assert len(mails()) == ADDRESSES_PER_ACCOUNT

    def test_a_mail_server_that_says_nothing_holds_nobody_up(self, alice, anonymous, mails, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        with socket.create_server(("127.0.0.1", 0)) as server:
            settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
            assert anonymous.post(URL, {"email": EMAIL}).status_code == 202
            connection, _ = server.accept()
            # The mail waits for a greeting, and nobody for the mail.
            assert anonymous.post(URL, {"email": EMAIL}).status_code == 202
            connection.close()
        assert mails() == []

    def test_a_mail_server_that_is_away_is_nobodys_business(self, alice, anonymous, mails, settings, caplog):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        assert anonymous.post(URL, {"email": EMAIL}).status_code == 202
        assert mails() == []
        assert "work_failed" in caplog.text
        assert "alice" not in caplog.text

    @pytest.mark.parametrize(
        "body", [{}, {"email": ""}, {"email": None}, {"email": "alice"}, {"email": 5}, []]
    )
    def test_what_is_no_address_is_refused(self, anonymous, body):
        response = anonymous.post(URL, body)
        assert (response.status_code, response.json()["code"]) == (400, "validation_error")
