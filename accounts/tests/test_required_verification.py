"""EMAIL_VERIFICATION=required: what who is not verified may do, over REST and on the socket, and how they go on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from io import StringIO
from uuid import uuid4

import pytest
import yaml
from django.core.management import call_command

from accounts import services, tokens
from accounts.models import User
from core.errors import EmailNotVerified
from realtime.close_codes import CloseCode
from realtime.router import Claims
from tests.live import RECEIVE_SECONDS, LiveServer, Person, Socket

ME = "/api/v1/users/me"
OPEN = {("get", ME), ("patch", ME), ("delete", ME), ("get", f"{ME}/export")}


@pytest.fixture
def operations() -> list[tuple[str, str]]:
    """Every operation of the API: its method, and a path that leads to it."""
    document = StringIO()
    call_command("spectacular", stdout=document)
    found = [
        (method, re.sub(r"\{\w+\}", str(uuid4()), path))
        for path, methods in yaml.safe_load(document.getvalue())["paths"].items()
        for method in methods
        if path.startswith("/api/v1/")
    ]
    assert len(found) > 30
    return found


@pytest.fixture
def _required(settings) -> None:
    settings.EMAIL_VERIFICATION = "required"


@pytest.mark.usefixtures("_required")
class TestApi:
    def test_nothing_is_open_but_ones_own_account_and_what_logs_in_and_verifies(
        self, alice, client_of, operations
    ):
        client = client_of(alice)
        for method, path in operations:
            if path.startswith("/api/v1/auth/"):
                continue
            response = getattr(client, method)(path, {})
            if (method, path) in OPEN:
                # Without a password an erasure is refused, but not for the address.
                assert response.status_code == (400 if method == "delete" else 200), f"{method} {path}"
            else:
                code = response.json()["code"]
                assert (response.status_code, code) == (403, "email_not_verified"), f"{method} {path}"

    def test_all_of_auth_is_open(self, alice, client_of, operations):
        paths = [(method, path) for method, path in operations if path.startswith("/api/v1/auth/")]
        assert len(paths) > 10
        for method, path in paths:
            assert getattr(client_of(alice), method)(path, {}).status_code != 403, f"{method} {path}"

    def test_from_a_registration_to_the_first_room(self, mails, mailed_code, anonymous):
        body = {"username": "dora", "email": "dora@example.com", "password": "a-long-secret"}
        assert anonymous.post("/api/v1/auth/register", body).status_code == 201
        login = anonymous.post("/api/v1/auth/login", {"login": "dora", "password": body["password"]})
        assert (login.status_code, login.json()["user"]["email_verified"]) == (200, False)
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {login.json()['access']}")
        assert anonymous.post("/api/v1/rooms", {"name": "Kitchen"}).status_code == 403
        assert anonymous.patch(ME, {"bio": "Hi"}).json()["bio"] == "Hi"
        code = {"email": "dora@example.com", "code": mailed_code()}
        assert anonymous.post("/api/v1/auth/verify-email", code).status_code == 204
        assert anonymous.post("/api/v1/rooms", {"name": "Kitchen"}).status_code == 201

    def test_who_is_verified_by_staff_goes_on_too(self, alice, charlie, client_of):
        client = client_of(alice)
        assert client.get("/api/v1/rooms").status_code == 403
        alice.email_verified = True
        services.save_user(charlie, user=alice, is_new=False)
        assert client.get("/api/v1/rooms").status_code == 200

    def test_who_is_not_logged_in_is_told_that_first(self, db, anonymous):
        response = anonymous.get("/api/v1/rooms")
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("mode", ["off", "optional"])
def test_otherwise_everything_is_open(alice, client_of, session_of, settings, mode):
    settings.EMAIL_VERIFICATION = mode
    assert client_of(alice).get("/api/v1/rooms").status_code == 200
    session = session_of(alice)
    assert not tokens.ended_sessions([session.id])
    assert tokens.identify([Claims(session.id, 1.0)])[0].user_id == alice.id


@pytest.mark.usefixtures("_required")
class TestSessions:
    def test_who_is_not_verified_is_not_let_in(self, alice, bob, session_of, django_assert_num_queries):
        User.objects.filter(id=bob.id).update(email_verified=True)
        claims = [Claims(session_of(user).id, 1.0) for user in (alice, bob)]
        with django_assert_num_queries(1):
            refusal, identity = tokens.identify(claims)
        assert isinstance(refusal, EmailNotVerified)
        assert identity.user_id == bob.id

    def test_who_is_not_verified_any_more_is_shut_out(
        self, alice, bob, session_of, django_assert_num_queries
    ):
        User.objects.filter(id=bob.id).update(email_verified=True)
        hers, his = session_of(alice), session_of(bob)
        with django_assert_num_queries(1):
            assert tokens.ended_sessions([hers.id, his.id]) == {hers.id: CloseCode.SUSPENDED}


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[LiveServer]:
    server = LiveServer(EMAIL_VERIFICATION="required")
    yield server.start()
    server.close()


def printed_code(server: LiveServer) -> str:
    """The code that the server prints, in place of a mail."""
    deadline = time.monotonic() + RECEIVE_SECONDS
    while not (found := re.findall(r"^    (\S{4}-\S{4})$", server.log.read_text(), re.MULTILINE)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found[-1]


class TestSocket:
    @pytest.mark.django_db(transaction=True)
    async def test_it_tells_why_and_closes_and_the_same_token_lets_in_once_verified(
        self, server: LiveServer
    ) -> None:
        alice = Person(server, "alice")
        async with alice.socket() as socket, Socket(server.ws) as late:
            frame = await socket.receive()
            assert (frame["type"], frame["data"]["code"]) == ("error", "email_not_verified")
            assert await socket.closed() == 4403
            answer = await late.ask("auth", {"token": alice.token})
            assert (answer["type"], answer["data"]["code"]) == ("error", "email_not_verified")
            assert await late.closed() == 4403
        body = {"email": f"{alice.username}@example.com", "code": printed_code(server)}
        alice.call("POST", "/auth/verify-email", json=body).raise_for_status()
        async with alice.socket() as socket:
            assert (await socket.receive())["type"] == "ready"
