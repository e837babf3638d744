"""The staff console of accounts."""

import pytest
from django.contrib.auth.models import Permission

from accounts import services, tokens
from accounts.models import Session, User
from accounts.services.erasing import erasing
from eventlog.log import user_stream
from tests.cards import erased

USERS, SESSIONS = "/admin/accounts/user/", "/admin/accounts/session/"


@pytest.fixture
def staff(client, charlie):
    """A browser in which charlie, superuser here, is logged in."""
    User.objects.filter(id=charlie.id).update(is_staff=True, is_superuser=True)
    assert client.login(username="charlie@example.com", password="charlie-demo-2026")
    return client


def change_form(user, **changes):
    return {"username": user.username, "email": user.email, "display_name": "", "bio": "", **changes}


def test_a_plain_user_is_refused(client, alice):
    client.force_login(alice)
    for url in (USERS, f"{USERS}add/", f"{USERS}{alice.id}/change/", SESSIONS):
        assert client.get(url).status_code == 302


def test_an_api_token_is_no_key_to_it(alice, client_of):
    User.objects.update(is_staff=True, is_superuser=True)
    assert client_of(alice).get(USERS).status_code == 302


def test_the_pages_load(staff, alice, session_of):
    session = session_of(alice)
    for url in (
        "/admin/",
        USERS,
        f"{USERS}add/",
        f"{USERS}{alice.id}/change/",
        f"{USERS}{alice.id}/password/",
        SESSIONS,
        f"{SESSIONS}{session.id}/change/",
    ):
        assert staff.get(url).status_code == 200, url


def test_lists_take_the_same_queries_however_long(staff, alice, session_of, django_assert_max_num_queries):
    for number in range(20):
        session_of(User.objects.create_user(f"dora{number}", f"dora{number}@example.com"))
    for url in (USERS, SESSIONS):
        with django_assert_max_num_queries(6):
            assert staff.get(url).status_code == 200


@pytest.mark.parametrize("query", ["ALI", "alice@EX", "ａｌｉ"])
def test_users_are_found_by_either_name_or_address(staff, alice, bob, query):
    assert list(staff.get(USERS, {"q": query}).context["cl"].result_list) == [alice]


def test_sessions_are_found_by_user(staff, alice, bob, session_of):
    session, _ = session_of(alice), session_of(bob)
    assert list(staff.get(SESSIONS, {"q": "Alice"}).context["cl"].result_list) == [session]


class TestAdd:
    def test_a_user_who_can_log_in(self, staff, anonymous):
        secret = "a-long-enough-secret"
        form = {"username": "Dora", "email": "d@example.com", "password1": secret, "password2": secret}
        assert staff.post(f"{USERS}add/", form).status_code == 302
        response = anonymous.post("/api/v1/auth/login", {"login": "dora", "password": secret})
        assert response.status_code == 200

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"username": "ALICE"}, "username"),
            ({"email": "Alice@example.com"}, "email"),
            ({"username": "a b c"}, "username"),
            ({"password1": "123", "password2": "123"}, "password2"),
        ],
    )
    def test_the_rules_are_those_of_the_api(self, staff, alice, change, field):
        form = {"username": "dora", "email": "d@example.com", "password1": "a-long-secret"}
        form = form | {"password2": "a-long-secret"} | change
        response = staff.post(f"{USERS}add/", form)
        assert response.status_code == 200
        assert list(response.context["adminform"].form.errors) == [field]


class TestChange:
    def test_the_user_is_told(self, staff, alice, charlie, events_of):
        response = staff.post(f"{USERS}{alice.id}/change/", change_form(alice, display_name="Alice A."))
        assert response.status_code == 302
        (event,) = events_of(user_stream(alice.id))
        assert (event["type"], event["data"]["display_name"]) == ("account.updated", "Alice A.")

    def test_a_taken_name_is_refused_at_its_field(self, staff, alice, bob):
        response = staff.post(f"{USERS}{alice.id}/change/", change_form(alice, username="BOB"))
        assert response.context["adminform"].form.errors.as_data()["username"][0].code == "unique"

    def test_is_active_is_not_set_by_the_form(self, staff, alice):
        staff.post(f"{USERS}{alice.id}/change/", change_form(alice))
        assert User.objects.get(id=alice.id).is_active

    @pytest.mark.django_db(transaction=True)
    def test_a_new_password_ends_the_sessions(self, staff, alice, session_of, anonymous, closed):
        session_of(alice)
        form = {"password1": "another-long-secret", "password2": "another-long-secret"}
        assert staff.post(f"{USERS}{alice.id}/password/", form).status_code == 302
        assert not Session.objects.filter(user=alice, revoked_at=None).exists()
        assert closed == [(alice.id, None, "session_ended")]
        body = {"login": "alice", "password": "another-long-secret"}
        assert anonymous.post("/api/v1/auth/login", body).status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_so_does_taking_the_password_away(self, staff, alice, session_of, closed):
        session_of(alice)
        form = {"usable_password": "false", "unset-password": "yes"}
        assert staff.post(f"{USERS}{alice.id}/password/", form).status_code == 302
        assert not User.objects.get(id=alice.id).has_usable_password()
        assert not Session.objects.filter(user=alice, revoked_at=None).exists()
        assert closed == [(alice.id, None, "session_ended")]

    @pytest.mark.django_db(transaction=True)
    def test_so_does_a_new_password_of_ones_own(self, staff, charlie, alice, session_of, closed):
        mine, other = session_of(charlie), session_of(alice)
        form = {"old_password": "wrong", "new_password1": "another-secret", "new_password2": "another-secret"}
        assert staff.post("/admin/password_change/", form).status_code == 200
        assert closed == []
        answer = staff.post("/admin/password_change/", form | {"old_password": "charlie-demo-2026"})
        assert (answer.status_code, answer["Location"]) == (302, "/admin/password_change/done/")
        assert staff.get(USERS).status_code == 200
        assert set(Session.objects.filter(revoked_at=None)) == {other}
        assert closed == [(charlie.id, None, "session_ended")]
        assert User.objects.get(id=mine.user_id).check_password("another-secret")

    def test_only_staff_see_the_page_of_their_own_password(self, client, alice):
        client.force_login(alice)
        assert client.get("/admin/password_change/").status_code == 302

    def test_a_password_that_changes_meanwhile_stays(self, staff, alice, charlie):
        old = User.objects.get(id=alice.id)
        User.objects.filter(id=alice.id).update(password="changed", is_active=False)
        old.bio = "Hi"
        services.save_user(charlie, user=old, is_new=False)
        alice.refresh_from_db()
        assert (alice.bio, alice.password, alice.is_active) == ("Hi", "changed", False)

    def test_nobody_is_deleted(self, staff, alice):
        assert staff.post(f"{USERS}{alice.id}/delete/", {"post": "yes"}).status_code == 403


class TestActions:
    @pytest.mark.django_db(transaction=True)
    def test_deactivated_users_are_out_until_they_are_let_in(self, staff, alice, client_of, closed):
        client = client_of(alice)
        staff.post(USERS, {"action": "deactivate", "_selected_action": [alice.id]})
        assert closed == [(alice.id, None, "suspended")]
        assert client.get("/api/v1/users/me").json()["code"] == "account_suspended"
        staff.post(USERS, {"action": "activate", "_selected_action": [alice.id]})
        assert client.get("/api/v1/users/me").status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_sessions_are_ended(self, staff, alice, session_of, closed):
        session, other = session_of(alice), session_of(alice)
        staff.post(SESSIONS, {"action": "end", "_selected_action": [session.id]})
        assert closed == [(alice.id, [session.id], "session_ended")]
        assert tokens.live_session(other.id) == other
        assert Session.objects.get(id=session.id).revoked_at is not None


class TestModerator:
    """Staff who may change users, but are no superusers."""

    @pytest.fixture
    def moderator(self, client, bob):
        User.objects.filter(id=bob.id).update(is_staff=True)
        bob.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
        client.force_login(bob)
        return client

    def test_changes_a_profile_but_hands_out_no_rights(self, moderator, alice):
        form = change_form(alice, bio="Hi", is_staff="on", is_superuser="on")
        assert moderator.post(f"{USERS}{alice.id}/change/", form).status_code == 302
        alice.refresh_from_db()
        assert (alice.bio, alice.is_staff, alice.is_superuser) == ("Hi", False, False)

    @pytest.mark.parametrize("page", ["change", "password"])
    def test_touches_no_staff_account(self, moderator, charlie, page):
        User.objects.filter(id=charlie.id).update(is_staff=True, is_superuser=True)
        password = charlie.password
        form = {"password1": "another-demo-2026", "password2": "another-demo-2026"}
        answer = moderator.post(f"{USERS}{charlie.id}/{page}/", change_form(charlie, bio="Hi") | form)
        assert answer.status_code == 403
        charlie.refresh_from_db()
        assert (charlie.bio, charlie.password) == ("", password)

    def test_shuts_out_users_but_no_staff(self, moderator, alice, charlie):
        User.objects.filter(id=charlie.id).update(is_staff=True)
        chosen = {"action": "deactivate", "_selected_action": [alice.id, charlie.id]}
        moderator.post(USERS, chosen)
        assert not User.objects.get(id=alice.id).is_active
        assert User.objects.get(id=charlie.id).is_active


class TestErase:
    @pytest.fixture(autouse=True)
    def _through(self, transactional_db):
        yield
        erasing.wait()

    @pytest.fixture
    def ask(self, staff, alice):
        """Posts the action for alice, as the list does or as the page that asks once more."""
        return lambda **form: staff.post(
            USERS, {"action": "erase", "_selected_action": str(alice.id), **form}
        )

    def test_it_asks_first(self, ask, alice):
        page = ask()
        assert page.status_code == 200
        assert alice.email in page.content.decode()
        assert User.objects.get(id=alice.id).erased_at is None

    @pytest.mark.parametrize("messages", ["keep", "erase"])
    def test_then_it_is_done_and_the_tombstone_is_there_to_see(self, ask, staff, alice, messages):
        assert ask(messages=messages).status_code == 302
        left = erased(alice)
        assert left.erased_at is not None
        assert list(staff.get(USERS, {"q": left.username}).context["cl"].result_list) == [left]
        assert staff.get(f"{USERS}{alice.id}/change/").status_code == 200

    def test_nobody_changes_a_tombstone(self, ask, staff, alice):
        ask(messages="keep")
        assert staff.post(f"{USERS}{alice.id}/change/", change_form(alice)).status_code == 403
        assert staff.post(f"{USERS}{alice.id}/password/", {}).status_code == 403
        staff.post(USERS, {"action": "activate", "_selected_action": str(alice.id)})
        assert not erased(alice).is_active

    def test_it_is_a_superusers_business(self, client, alice, bob):
        User.objects.filter(id=bob.id).update(is_staff=True)
        bob.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
        client.force_login(bob)
        client.post(USERS, {"action": "erase", "_selected_action": str(alice.id), "messages": "erase"})
        assert User.objects.get(id=alice.id).is_active
