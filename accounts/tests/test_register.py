"""POST /auth/register."""

import pytest
from django.contrib.auth.hashers import make_password
from rest_framework.test import APIClient

from accounts import services
from accounts.models import Session, User
from accounts.services import Device
from accounts.tests.hashers import WatchedHasher
from core.errors import ValidationFailed
from eventlog.log import user_stream
from eventlog.models import Stream

URL = "/api/v1/auth/register"
DORA = {"username": "Dora", "email": "dora@example.com", "password": "a-long-enough-secret"}


def broken_rules(response):
    return {(error["attr"], error["code"]) for error in response.json()["errors"]}


class TestService:
    def test_the_user_gets_a_stream_and_no_event(self, db, events_of):
        user = services.register(
            username="dora", email="d@example.com", password="a-long-secret", device=Device()
        ).user
        assert Stream.objects.get(name=user_stream(user.id)).head == 0
        assert events_of(user_stream(user.id)) == []

    def test_a_refusal_leaves_nothing(self, db):
        with pytest.raises(ValidationFailed):
            services.register(username="dora", email="d@example.com", password="123", device=Device())
        assert not User.objects.exists()
        assert not Session.objects.exists()
        assert not Stream.objects.exists()

    def test_the_password_is_stored_by_argon2(self, db, settings):
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
        user = services.register(
            username="dora", email="d@example.com", password="a-long-secret", device=Device()
        ).user
        assert user.password.startswith("argon2$argon2id$")
        assert user.check_password("a-long-secret")

    @pytest.mark.django_db(transaction=True)
    def test_the_password_is_hashed_outside_the_transaction(self, settings):
        settings.PASSWORD_HASHERS = ["accounts.tests.hashers.WatchedHasher"]
        WatchedHasher.in_transaction.clear()
        services.register(username="dora", email="d@example.com", password="a-long-secret", device=Device())
        assert WatchedHasher.in_transaction == [False]

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("shared", ["username", "email"])
    def test_of_parallel_ones_with_the_same_name_one_wins(self, race, shared):
        def register(number):
            names = {"username": f"dora{number}", "email": f"dora{number}@example.com"}
            names[shared] = (
                ["dora@example.com", "DORA@example.com"][number % 2] if shared == "email" else "Dora"
            )
            return services.register(**names, password="a-long-enough-secret", device=Device())

        outcomes = race(*(lambda number=number: register(number) for number in range(4)))
        errors = [outcome for outcome in outcomes if isinstance(outcome, ValidationFailed)]
        assert len(errors) == 3
        assert {(rule.attr, rule.code) for error in errors for rule in error.errors} == {(shared, "unique")}
        assert User.objects.count() == 1
        assert Session.objects.count() == 1


class TestApi:
    def test_a_new_user_is_logged_in(self, db, anonymous: APIClient):
        response = anonymous.post(URL, {**DORA, "display_name": " Dora D. "})
        assert response.status_code == 201
        body = response.json()
        assert set(body) == {"user", "access", "refresh", "expires_in", "token_type"}
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
        assert body["user"] | {"id": "", "created_at": ""} == {
            "id": "",
            "username": "Dora",
            "display_name": "Dora D.",
            "avatar_url": None,
            "is_bot": False,
            "bio": "",
            "created_at": "",
            "presence": {"status": "offline", "last_seen_at": None},
            "email": "dora@example.com",
            "email_verified": False,
            "is_staff": False,
            "settings": {
                "last_seen": "everyone",
                "read_receipts": True,
                "messages_from": "everyone",
                "invites_from": "everyone",
            },
            "suspension": None,
        }
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access']}")
        assert anonymous.get("/api/v1/users/me").json() == body["user"]

    def test_without_a_display_name_the_user_name_is_shown(self, db, anonymous):
        assert anonymous.post(URL, DORA).json()["user"]["display_name"] == "Dora"

    @pytest.mark.parametrize("name", ["alice", "ALICE", "ａｌｉｃｅ", " alice ", "Alice\u3000"])
    def test_names_that_differ_by_case_width_or_blanks_are_one(self, alice, anonymous, name):
        response = anonymous.post(URL, {**DORA, "username": name})
        assert response.status_code == 400
        assert response.json()["code"] == "validation_error"
        assert broken_rules(response) == {("username", "unique")}

    @pytest.mark.parametrize("email", ["alice@example.com", "Alice@EXAMPLE.com", " alice@example.com "])
    def test_an_address_is_taken_once(self, alice, anonymous, email):
        response = anonymous.post(URL, {**DORA, "email": email})
        assert response.status_code == 400
        assert broken_rules(response) == {("email", "unique")}

    def test_all_that_is_wrong_is_told_at_once(self, alice, anonymous):
        body = {"username": "alice", "email": "alice@example.com", "password": "1234567"}
        assert broken_rules(anonymous.post(URL, body)) == {
            ("username", "unique"),
            ("email", "unique"),
            ("password", "password_too_short"),
            ("password", "password_too_common"),
            ("password", "password_entirely_numeric"),
        }

    @pytest.mark.parametrize("name", ["Żółć", "名前太郎", "a.b-c_9", "x" * 32, "ﬃ" * 32])
    def test_letters_of_any_script_are_welcome(self, db, anonymous, name):
        response = anonymous.post(URL, {**DORA, "username": name})
        assert response.status_code == 201, response.json()
        assert response.json()["user"]["username"] == name

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("ab", "min_length"),
            ("ab   ", "min_length"),
            ("각", "min_length"),  # three letters, but one after NFKC
            ("x" * 33, "max_length"),
            ("", "blank"),
            ("a b c", "invalid"),
            ("a@b.example", "invalid"),
            ("../etc", "invalid"),
            ("½half", "invalid"),  # its key has a fraction slash
            ("ab\nc", "control_characters"),
            ("ab\u202ec", "control_characters"),
            ("😀😀😀", "invalid"),
            (123456, "invalid"),
            (None, "null"),
            (["alice"], "invalid"),
        ],
    )
    def test_odd_user_names_are_refused(self, db, anonymous, name, code):
        response = anonymous.post(URL, {**DORA, "username": name})
        assert response.status_code == 400
        assert ("username", code) in broken_rules(response)
        assert not User.objects.exists()

    @pytest.mark.parametrize(
        ("email", "code"),
        [
            ("dora", "invalid"),
            ("dora@", "invalid"),
            ("a" * 250 + "@example.com", "max_length"),
            ('"\u0001"@example.com', "control_characters"),
            (f"d@{'ǆ' * 60}.{'ﬃ' * 60}.{'ﬃ' * 60}.example", "max_length"),  # fits, but its key does not
        ],
    )
    def test_odd_addresses_are_refused(self, db, anonymous, email, code):
        response = anonymous.post(URL, {**DORA, "email": email})
        assert response.status_code == 400
        assert ("email", code) in broken_rules(response)

    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("x8!kq", "password_too_short"),
            ("password123", "password_too_common"),
            ("84629105731", "password_entirely_numeric"),
            ("dora@example", "password_too_similar"),
            ("x" * 129, "max_length"),
            ("", "blank"),
            (12345678901, "invalid"),
        ],
    )
    def test_weak_passwords_are_refused(self, db, anonymous, password, code):
        response = anonymous.post(URL, {**DORA, "password": password})
        assert response.status_code == 400
        assert ("password", code) in broken_rules(response)

    def test_blanks_around_a_password_are_part_of_it(self, db, anonymous):
        anonymous.post(URL, {**DORA, "password": "  spaced-out-secret  "})
        assert User.objects.get().check_password("  spaced-out-secret  ")

    def test_nobody_makes_themselves_staff(self, db, anonymous):
        response = anonymous.post(URL, {**DORA, "is_staff": True, "is_superuser": True})
        assert response.status_code == 400
        assert response.json()["code"] == "unknown_field"
        assert broken_rules(response) == {("is_staff", "unknown_field"), ("is_superuser", "unknown_field")}
        assert not User.objects.exists()

    def test_keys_that_are_missing_are_named(self, db, anonymous):
        assert broken_rules(anonymous.post(URL, {})) == {
            ("username", "required"),
            ("email", "required"),
            ("password", "required"),
        }

    def test_a_long_display_name_fits_its_search_key(self, db, anonymous):
        # U+FDFA is eighteen characters after NFKC.
        response = anonymous.post(URL, {**DORA, "display_name": "\ufdfa" * 64})
        assert response.status_code == 201

    def test_the_session_remembers_the_device(self, db, anonymous):
        anonymous.post(
            URL, DORA, HTTP_USER_AGENT="Fire\x1b[31mfox\t" + "x" * 400, REMOTE_ADDR="2001:db8::1%eth0"
        )
        session = Session.objects.get()
        assert session.ip == "2001:db8::1"
        assert session.user_agent == ("Fire[31mfox" + "x" * 400)[:256]
        assert session.device_name == ""

    def test_no_address_is_no_address(self, db, anonymous):
        anonymous.post(URL, DORA, REMOTE_ADDR="")
        assert Session.objects.get().ip is None

    def test_the_password_is_never_told(self, db, anonymous):
        text = anonymous.post(URL, DORA).content.decode()
        assert DORA["password"] not in text
        assert make_password("x").split("$")[0] + "$" not in text
