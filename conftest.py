"""The cast and the stage of every test: alice and bob, who share things, and charlie the stranger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Session, User
from accounts.services import erase_users
from accounts.services.erasing import erasing
from chatproject import file_stores
from core import limits
from core.errors import ChatError
from core.storage import guard
from eventlog.log import LoggedEvent
from eventlog.models import Event
from eventlog.signals import events_committed
from rooms.models import Membership, Room
from tests.cards import erased
from tests.documented import DocumentedClient
from tests.live import LiveServer
from tests.loopback_cloudinary import CLOUD, KEY, SECRET, LoopbackCloudinary

LONG = (
    *("test_chaos.py", "test_bench.py", "test_outages.py", "test_hostile_clients.py"),
    *("test_unfinished_requests.py", "test_fuzz.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: one that a worker begins last has the others wait."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """SQLite in a file, as in real life: threads that race on an in-memory one don't wait for locks."""
    default = connections["default"]
    if default.vendor == "sqlite":
        default.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Redis is the limiter's store, too; in memory it has one of its own."""
    cache.clear()
    limits.forget_local_counts()


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Settings) -> None:
    """Argon2 is slow on purpose; only the test of Argon2 itself wants that."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _user(name: str) -> User:
    return User.objects.create_user(name, f"{name}@example.com", f"{name}-demo-2026")


@pytest.fixture
def alice(db: None) -> User:
    return _user("alice")


@pytest.fixture
def bob(db: None) -> User:
    return _user("bob")


@pytest.fixture
def charlie(db: None) -> User:
    """The stranger: must have no access to what alice and bob share."""
    return _user("charlie")


@pytest.fixture
def session_of(db: None) -> Callable[[User], Session]:
    """Opens a session for a user, as a login would."""

    def open_session(user: User) -> Session:
        return Session.objects.create(
            user=user, refresh_id=uuid4(), expires_at=timezone.now() + timedelta(days=1)
        )

    return open_session


@pytest.fixture
def client_of(session_of: Callable[[User], Session]) -> Callable[[User], APIClient]:
    """A REST client that carries the user's access token."""

    def make(user: User) -> APIClient:
        client = DocumentedClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(session_of(user)).access}")
        return client

    return make


@pytest.fixture
def anonymous() -> APIClient:
    return DocumentedClient()


@pytest.fixture
def events_of(db: None) -> Callable[[str], list[dict[str, Any]]]:
    """The frames that the log holds for a stream, decoded, in order."""

    def read(stream: str) -> list[dict[str, Any]]:
        frames = Event.objects.filter(stream__name=stream).order_by("pos").values_list("frame", flat=True)
        return [json.loads(frame) for frame in frames]

    return read


@pytest.fixture
def membership_of(db: None) -> Callable[[User, Room], Membership]:
    """The row as the database has it now, ended or not."""
    return lambda user, room: Membership.objects.get(user=user, room=room)


@pytest.fixture
def committed(db: None) -> Iterator[list[LoggedEvent]]:
    """The events that were announced after a commit, as they come."""
    heard: list[LoggedEvent] = []

    def hear(*, events: list[LoggedEvent], **_signal: Any) -> None:
        heard.extend(events)

    events_committed.connect(hear)
    yield heard
    events_committed.disconnect(hear)


@pytest.fixture
def announced(committed: list[LoggedEvent]) -> Callable[[], list[tuple[str, str]]]:
    """Gives (stream, type) of every event that was announced after a commit, in order."""
    return lambda: [(event.stream, event.type) for event in committed]


@pytest.fixture
def _erasures_end(transactional_db: None) -> Iterator[None]:
    """Nothing of an erasure is under way when the tables are emptied."""
    yield
    erasing.wait()


@pytest.fixture
def erase(_erasures_end: None) -> Callable[..., User]:
    """Erases a user, to the end; the messages stay unless `messages=True`. What is left of the user."""

    def do(user: User, *, messages: bool = False) -> User:
        erase_users([user], erases_messages=messages)
        return erased(user)

    return do


@pytest.fixture
def race() -> Iterator[Callable[..., list[Any]]]:
    """Runs calls at the same moment, a thread each; what each returned, or the ChatError that it raised.

    The threads keep their connections until the test is over: to connect takes longer than most calls.
    """
    used: set[BaseDatabaseWrapper] = set()

    def run(*calls: Callable[[], Any]) -> list[Any]:
        start = Barrier(len(calls))

        def outcome(call: Callable[[], Any]) -> Any:
            used.add(connections["default"])
            try:
                start.wait(timeout=10)
                return call()
            except ChatError as error:
                return error

        return list(pool.map(outcome, calls))

    with ThreadPoolExecutor(32) as pool:
        yield run
    for connection in used:
        connection.inc_thread_sharing()
        connection.close()


@pytest.fixture
def rounds() -> range:
    """How often a race is run. Of two transactions on SQLite one begins when the other has ended, whatever we do."""
    return range(10 if connections["default"].vendor == "sqlite" else 50)


@pytest.fixture
def cloudinary(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackCloudinary]:
    """Files go to a Cloudinary on loopback, by the real libraries."""
    # What hung in another test is not to be left alone in this one.
    monkeypatch.setattr(guard, "_again", 0.0)
    with LoopbackCloudinary() as cloud:
        account = {"cloud_name": CLOUD, "api_key": KEY, "api_secret": SECRET}
        settings.CLOUDINARY = {**account, "upload_prefix": cloud.prefix}
        settings.STORAGE_SECONDS = 1
        settings.STORAGES = {**settings.STORAGES, **file_stores.CLOUDINARY}
        yield cloud


@pytest.fixture(scope="session")
def running(django_db_setup: None) -> Iterator[Callable[[str], LiveServer]]:
    """Server processes on the test database, each started when first asked for: `uvicorn` or `daphne`."""
    servers: dict[str, LiveServer] = {}

    def get(kind: str) -> LiveServer:
        if kind not in servers:
            servers[kind] = LiveServer(kind).start()
        return servers[kind]

    yield get
    for server in servers.values():
        server.close()


@pytest.fixture
def server(running: Callable[[str], LiveServer], transactional_db: None) -> LiveServer:
    """A real server, as in production."""
    return running("uvicorn")


@pytest.fixture(params=["uvicorn", "daphne"])
def each_server(
    request: pytest.FixtureRequest, running: Callable[[str], LiveServer], transactional_db: None
) -> LiveServer:
    """A real server of each kind that we run on."""
    return running(request.param)
