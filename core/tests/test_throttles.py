"""Limits of REST requests: what counts where and for whom, and what the headers say."""

import json
from uuid import uuid4

import pytest
from django.conf import settings as project
from redis.connection import AbstractConnection

from core import limits
from messaging.services import room_to_send_each

LOGIN, ME, BLOCKS = "/api/v1/auth/login", "/api/v1/users/me", "/api/v1/blocks"
NOBODY = {"login": "nobody", "password": "a-wrong-password"}


def quota(response):
    """(scope, limit, remaining) as the headers say."""
    assert int(response["X-RateLimit-Reset-After"]) >= (1 if response["X-RateLimit-Remaining"] == "0" else 0)
    return (
        response["X-RateLimit-Scope"],
        int(response["X-RateLimit-Limit"]),
        int(response["X-RateLimit-Remaining"]),
    )


def is_refused(response):
    body = json.loads(response.content)
    assert (response.status_code, body["code"], body["retryable"]) == (429, "rate_limited", True)
    assert response["Content-Type"] == "application/problem+json"
    assert int(response["Retry-After"]) >= body["retry_after"] > 0
    return True


@pytest.fixture(params=["shared", "local"] if project.REDIS_URLS else ["local"])
def _store(request, monkeypatch):
    """Redis, where there is one, and the memory that stands in for it."""
    if request.param == "local":
        monkeypatch.setattr(limits, "_redis_script", lambda: None)


@pytest.fixture
def address():
    """One that no other test comes from."""
    return f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"


@pytest.fixture
def small(settings, _store):
    """Limits that a test can reach, and that don't refill while it does."""
    for scope, burst in (("LOGIN", 2), ("READ", 4), ("WRITE", 3), ("MESSAGE", 2), ("UPLOAD", 1)):
        setattr(settings, f"{scope}_BURST", burst)
        setattr(settings, f"{scope}S_PER_SECOND", burst / 100_000)


@pytest.mark.usefixtures("small")
class TestUsers:
    def test_reads_are_counted_and_the_one_too_many_is_refused(self, alice, client_of):
        client = client_of(alice)
        for remaining in (3, 2, 1, 0):
            answer = client.get(ME)
            assert (answer.status_code, quota(answer)) == (200, ("read", 4, remaining))
        refused = client.get(ME)
        assert is_refused(refused)
        assert quota(refused) == ("read", 4, 0)

    def test_all_sessions_of_a_user_count_together_and_others_apart(self, alice, bob, client_of):
        assert [quota(client_of(alice).get(ME))[2] for _ in range(3)] == [3, 2, 1]
        assert quota(client_of(bob).get(ME)) == ("read", 4, 3)

    def test_writes_count_apart_from_reads(self, alice, bob, client_of):
        client = client_of(alice)
        for method, remaining in ((client.put, 2), (client.delete, 1), (client.put, 0)):
            answer = method(f"{BLOCKS}/{bob.id}")
            assert (answer.status_code, quota(answer)) == (204, ("write", 3, remaining))
        assert is_refused(client.delete(f"{BLOCKS}/{bob.id}"))
        assert client.get(ME).status_code == 200

    def test_what_is_refused_has_no_effect(self, alice, bob, client_of):
        client = client_of(alice)
        for _ in range(3):
            client.delete(f"{BLOCKS}/{bob.id}")
        assert is_refused(client.put(f"{BLOCKS}/{bob.id}"))
        assert client.get(BLOCKS).json()["results"] == []

    def test_errors_of_a_view_count_and_say_so(self, alice, client_of):
        client = client_of(alice)
        assert quota(client.get(f"/api/v1/users/{uuid4()}")) == ("read", 4, 3)
        assert quota(client.post(ME, {})) == ("write", 3, 2)
        assert quota(client.patch(ME, {"unknown": 1})) == ("write", 3, 1)

    def test_messages_count_once_and_together_with_the_sockets(self, alice, client_of):
        client, path = client_of(alice), f"/api/v1/rooms/{uuid4()}/messages"
        assert quota(client.post(path, {"content": "Hi"})) == ("message", 2, 1)
        assert room_to_send_each({alice.id: 5}) == {alice.id: 1}
        refused = client.post(path, {"content": "Hi"})
        assert is_refused(refused)
        assert quota(refused) == ("message", 2, 0)
        assert quota(client.get(path)) == ("read", 4, 3)


@pytest.mark.usefixtures("small", "db")
class TestAddresses:
    def test_logins_count_for_the_address(self, anonymous, address):
        for remaining in (1, 0):
            answer = anonymous.post(LOGIN, NOBODY, REMOTE_ADDR=address)
            assert (answer.status_code, quota(answer)) == (401, ("login", 2, remaining))
        assert is_refused(anonymous.post(LOGIN, NOBODY, REMOTE_ADDR=address))
        assert is_refused(anonymous.post("/api/v1/auth/register", {}, REMOTE_ADDR=address))

    def test_the_admin_site_is_no_way_around(self, client, anonymous, address):
        for status in (200, 200, 429):
            answer = client.post("/admin/login/", {"username": "root", "password": "x"}, REMOTE_ADDR=address)
            assert answer.status_code == status
        assert is_refused(answer)
        assert is_refused(anonymous.post(LOGIN, NOBODY, REMOTE_ADDR=address))
        assert client.get("/admin/login/", REMOTE_ADDR=address).status_code == 200

    def test_other_addresses_go_on(self, anonymous):
        for _ in range(3):
            refused = anonymous.post(LOGIN, NOBODY, REMOTE_ADDR="192.0.2.1")
        assert is_refused(refused)
        assert quota(anonymous.post(LOGIN, NOBODY, REMOTE_ADDR="192.0.2.2")) == ("login", 2, 1)

    def test_addresses_of_one_ipv6_network_are_one(self, anonymous, address):
        neighbour = address.removesuffix(":1") + "ffff:1:2:3"
        assert quota(anonymous.post(LOGIN, NOBODY, REMOTE_ADDR=address))[2] == 1
        assert quota(anonymous.post(LOGIN, NOBODY, REMOTE_ADDR=neighbour))[2] == 0

    def test_ipv4_in_ipv6_is_the_same_address(self, anonymous):
        assert quota(anonymous.post(LOGIN, NOBODY, REMOTE_ADDR="192.0.2.3"))[2] == 1
        assert quota(anonymous.post(LOGIN, NOBODY, REMOTE_ADDR="::ffff:192.0.2.3"))[2] == 0

    def test_who_names_another_address_counts_all_the_same(self, anonymous, address):
        claims = {"HTTP_X_FORWARDED_FOR": "198.51.100.7", "HTTP_X_REAL_IP": "198.51.100.7"}
        assert quota(anonymous.post(LOGIN, NOBODY, REMOTE_ADDR=address))[2] == 1
        assert quota(anonymous.post(LOGIN, NOBODY, REMOTE_ADDR=address, **claims))[2] == 0

    def test_bad_tokens_count_for_the_address(self, anonymous, address):
        anonymous.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
        codes = [anonymous.get(ME, REMOTE_ADDR=address).status_code for _ in range(5)]
        assert codes == [401, 401, 401, 401, 429]
        assert quota(anonymous.post(ME, REMOTE_ADDR=address)) == ("write", 3, 2)

    def test_a_user_is_not_stopped_by_what_others_at_the_address_do(
        self, alice, client_of, anonymous, address
    ):
        for _ in range(5):
            refused = anonymous.get(ME, REMOTE_ADDR=address)
        assert is_refused(refused)
        assert client_of(alice).get(ME, REMOTE_ADDR=address).status_code == 200

    @pytest.mark.parametrize(
        ("path", "status"), [("/api/v1/nothing", 404), ("/api/", 404), ("/api/v1/ws", 426)]
    )
    def test_answers_that_no_view_of_the_api_gave_count_too(self, anonymous, address, path, status):
        answer = anonymous.get(path, REMOTE_ADDR=address)
        assert (answer.status_code, quota(answer)) == (status, ("read", 4, 3))

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"CONTENT_LENGTH": "99999999"}, 413),
            ({"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}, 411),
        ],
    )
    def test_bodies_that_are_refused_unread_count_too(self, client, address, headers, status):
        answer = client.post(LOGIN, "{}", content_type="application/json", REMOTE_ADDR=address, **headers)
        assert answer.status_code == status
        assert quota(answer)[1:] == (3, 2)

    def test_pages_outside_the_api_have_no_limit(self, anonymous, address):
        for path in ("/", "/health/live", "/nothing"):
            assert "X-RateLimit-Limit" not in anonymous.get(path, REMOTE_ADDR=address)


def test_browsers_may_read_the_headers(anonymous, settings, db):
    settings.CORS_ALLOWED_ORIGINS = ["https://chat.example.com"]
    exposed = anonymous.get(ME, HTTP_ORIGIN="https://chat.example.com")["Access-Control-Expose-Headers"]
    names = {name.strip() for name in exposed.split(",")}
    told = {"Limit", "Remaining", "Reset-After", "Scope"}
    assert {f"X-RateLimit-{name}" for name in told} | {"Retry-After", "X-Request-Id"} <= names


@pytest.mark.skipif(not project.REDIS_URLS, reason="No Redis here.")
def test_a_request_asks_redis_once(alice, client_of, anonymous, monkeypatch):
    asked = []
    send = AbstractConnection.send_packed_command

    def counting(self, command, *args, **options):
        asked.append(command)
        return send(self, command, *args, **options)

    client = client_of(alice)
    client.get(BLOCKS)
    monkeypatch.setattr(AbstractConnection, "send_packed_command", counting)
    for request in (
        lambda: client.get(BLOCKS),
        lambda: anonymous.get(ME),
        lambda: anonymous.get("/api/v1/x"),
    ):
        asked.clear()
        request()
        assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small")
def test_of_requests_at_the_same_moment_exactly_as_many_pass_as_there_is_room_for(alice, client_of, race):
    clients = [client_of(alice) for _ in range(8)]
    answers = race(*(lambda client=client: client.get(ME) for client in clients))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [429] * 4
    assert sorted(quota(answer)[2] for answer in answers) == [0, 0, 0, 0, 0, 1, 2, 3]
