"""DELETE /users/me: what holds at once, what comes after, and how it goes on where it was stopped."""

import threading
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.utils import timezone

from accounts import schemas, selectors, services
from accounts.models import Erasure, OneTimeCode, Session, User
from accounts.services import Device
from accounts.services.codes import mail_code, outbox
from accounts.services.erasing import erasing
from core.errors import InvalidCredentials, RateLimited, SessionRevoked, ValidationFailed
from eventlog.log import user_stream
from tests.cards import erased, in_the_log
from tests.files import picture

ME, EXPORT = "/api/v1/users/me", "/api/v1/users/me/export"
PASSWORD = "alice-demo-2026"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_erasures_end")]


@pytest.fixture
def erase():
    return partial(services.erase_me, password=PASSWORD, erases_messages=False)


class TestService:
    def test_what_is_left_is_a_card_without_a_name(self, alice, erase):
        services.update_me(
            alice, display_name="Alice A.", bio="I cook.", settings={"messages_from": "friends"}
        )
        erase(alice)
        left = User.objects.get()
        assert left.username == f"deleted-{alice.id.hex[-12:]}"
        assert (left.display_name, left.bio, left.email) == ("Deleted user", "", "")
        assert schemas.settings(left) == schemas.settings(User())
        assert not left.has_usable_password()
        assert (left.is_active, left.last_seen_at) == (False, None)
        assert left.erased_at is not None

    def test_name_and_address_are_free(self, alice, erase):
        erase(alice)
        session = services.register(
            username="alice", email=alice.email, password="worn-out-jumpy-tutor", device=Device()
        )
        assert session.user.id != alice.id

    def test_nobody_keeps_a_user_by_the_name_that_would_be_left(self, alice, erase):
        name = f"deleted-{alice.id.hex[-12:]}"
        User.objects.create_user(name, "d@example.com")
        erase(alice)
        assert User.objects.filter(username=name).count() == 2

    def test_nobody_logs_in_by_the_old_names(self, alice, erase):
        erase(alice)
        for login in ("alice", alice.email, User.objects.get().username):
            with pytest.raises(InvalidCredentials):
                services.login(login=login, password=PASSWORD, device=Device())

    def test_sessions_and_codes_are_gone_and_all_sockets_close(self, alice, erase, session_of, closed):
        session_of(alice)
        OneTimeCode.objects.create(user=alice, purpose="reset", code_hash="x", expires_at=timezone.now())
        erase(alice)
        assert not Session.objects.exists()
        assert not OneTimeCode.objects.exists()
        assert closed == [(alice.id, None, "session_ended")]

    def test_no_right_is_left(self, alice, erase):
        User.objects.update(is_staff=True, is_superuser=True)
        erase(alice)
        left = User.objects.get()
        assert (left.is_staff, left.is_superuser) == (False, False)

    def test_the_avatar_goes_from_the_store(self, alice, erase, settings):
        name = services.set_avatar(alice, file=picture()).avatar
        erase(alice)
        assert erased(alice).avatar == ""
        assert not Path(settings.MEDIA_ROOT, name).exists()

    def test_a_store_that_fails_is_asked_again(self, alice, erase, cloudinary):
        services.set_avatar(alice, file=picture())
        cloudinary.failing = 500
        erase(alice)
        erasing.wait()
        out, err = StringIO(), StringIO()
        call_command("finish_erasures", stdout=out, stderr=err)
        assert "1 left" in out.getvalue()
        assert err.getvalue() == f"{alice.id}: storage_unavailable\n"
        cloudinary.failing = None
        call_command("finish_erasures", stdout=out)
        assert cloudinary.kept == {}
        assert not Erasure.objects.exists()

    def test_the_log_has_no_account_of_it_any_more(self, alice, erase, events_of):
        services.update_me(
            alice, display_name="Alice A.", bio="I cook.", settings={"messages_from": "friends"}
        )
        services.set_avatar(alice, file=picture())
        erase(alice)
        left = erased(alice)
        assert in_the_log(alice) == {left.username}
        frames = str(events_of(user_stream(alice.id)))
        for word in ("Alice A.", "I cook.", "alice", "avatars", "'friends'"):
            assert word not in frames
        assert [frame["pos"] for frame in events_of(user_stream(alice.id))] == [1, 2]

    def test_the_staffs_own_log_names_it_no_more(self, alice, bob, erase):
        about = ContentType.objects.get_for_model(User)
        LogEntry.objects.create(
            user=bob, content_type=about, object_id=alice.id, object_repr="alice", action_flag=CHANGE
        )
        erase(alice)
        left = erased(alice)
        assert LogEntry.objects.get().object_repr == left.username

    def test_another_password_changes_nothing(self, alice, erase, session_of):
        session_of(alice)
        with pytest.raises(ValidationFailed) as refused:
            erase(alice, password="wrong")
        assert [(error.attr, error.code) for error in refused.value.errors] == [
            ("password", "password_incorrect")
        ]
        assert User.objects.get().is_active
        assert Session.objects.filter(revoked_at=None).exists()

    def test_passwords_are_not_tried_for_ever(self, alice, erase, settings):
        for _ in range(settings.PASSWORD_ATTEMPTS):
            with pytest.raises(ValidationFailed):
                erase(alice, password="wrong")
        with pytest.raises(RateLimited):
            erase(alice)

    def test_whoever_still_has_the_user_in_hand_brings_nothing_back(self, alice, erase, settings):
        """Requests that were let in a moment before."""
        kept = set(Path(settings.MEDIA_ROOT, "avatars").glob("*"))
        erase(alice)
        for late in (
            partial(services.update_me, alice, username="alice"),
            partial(services.set_avatar, alice, file=picture()),
            partial(erase, alice),
        ):
            with pytest.raises(SessionRevoked):
                late()
        alice.display_name = "Alice A."
        services.save_user(alice, user=alice, is_new=False)
        services.activate_users([alice])
        services.mark_seen(alice.id, timezone.now())
        left = erased(alice)
        assert left.username.startswith("deleted-")
        assert (left.display_name, left.avatar) == ("Deleted user", "")
        assert (left.is_active, left.last_seen_at) == (False, None)
        assert set(Path(settings.MEDIA_ROOT, "avatars").glob("*")) == kept

    def test_no_code_is_mailed_for_it(self, alice, erase, mailoutbox):
        gate = threading.Event()
        outbox.put(gate.wait)
        mail_code(alice.email, OneTimeCode.Purpose.VERIFY)
        erase(alice)
        gate.set()
        outbox.wait()
        assert mailoutbox == []
        assert not OneTimeCode.objects.exists()

    def test_of_two_at_once_one_does_it(self, alice, erase, race):
        for _ in range(5):
            user = User.objects.create_user("dora", "dora@example.com", PASSWORD)
            outcomes = race(*(partial(erase, user) for _ in range(3)))
            assert sorted(map(str, map(type, outcomes))) == sorted(
                map(str, (type(None), SessionRevoked, SessionRevoked))
            )
            erased(user)

    def test_no_login_at_the_same_moment_leaves_a_session(self, alice, erase, race):
        for _ in range(5):
            user = User.objects.create_user("dora", "dora@example.com", PASSWORD)
            race(
                partial(erase, user),
                partial(services.login, login="dora", password=PASSWORD, device=Device()),
                partial(services.set_avatar, user, file=picture()),
                partial(services.update_me, user, username="dora2"),
            )
            left = erased(user)
            assert not Session.objects.exists()
            assert (left.username[:8], left.avatar) == ("deleted-", "")
            assert in_the_log(user) <= {left.username}


class TestStaff:
    def test_no_password_is_needed_and_a_repeat_changes_nothing(self, alice, bob):
        services.erase_users([alice, bob], erases_messages=True)
        first = erased(alice).erased_at
        services.erase_users([alice], erases_messages=False)
        assert erased(alice).erased_at == first
        assert erased(bob).erased_at is not None


class TestApi:
    def test_it_is_gone(self, alice, bob, client_of):
        client = client_of(alice)
        assert client.delete(ME, {"password": PASSWORD}).status_code == 204
        answer = client.get(ME)
        assert (answer.status_code, answer.json()["code"]) == (401, "session_revoked")
        others = client_of(bob)
        assert others.get(f"/api/v1/users/{alice.id}").status_code == 404
        for search in ("alice", "deleted", "Deleted user"):
            assert others.get("/api/v1/users", {"search": search}).json()["results"] == []
        assert others.get("/api/v1/users/presence", {"ids": str(alice.id)}).json() == []
        answer = others.post("/api/v1/friends/requests", {"user_id": str(alice.id)})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        ("query", "body", "code"),
        [
            ("", {}, "validation_error"),
            ("", {"password": "wrong"}, "validation_error"),
            ("", {"password": PASSWORD, "id": "x"}, "unknown_field"),
            ("?messages=some", {"password": PASSWORD}, "invalid_parameter"),
        ],
    )
    def test_an_odd_request_changes_nothing(self, alice, client_of, query, body, code):
        answer = client_of(alice).delete(ME + query, body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert User.objects.get().is_active

    @pytest.mark.parametrize("query", ["", "?messages=keep", "?messages=erase"])
    def test_messages_are_kept_unless_i_say_so(self, alice, client_of, query):
        gate = threading.Event()
        erasing.put(gate.wait)
        client_of(alice).delete(ME + query, {"password": PASSWORD})
        erases_messages = Erasure.objects.get().erases_messages
        gate.set()
        assert erases_messages is query.endswith("=erase")

    def test_anonymous_gets_401(self, anonymous):
        answer = anonymous.delete(ME, {"password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_a_user_who_is_erased_is_found_by_no_address(self, alice, erase):
        erase(alice)
        assert selectors.active_user_by_email(alice.email) is None
        assert selectors.active_user_by_email("") is None
