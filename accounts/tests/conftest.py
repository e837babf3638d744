"""What the tests of accounts share: a race, an ear for commits, forged tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Session
from core.errors import ChatError
from eventlog.signals import events_committed
from realtime import publish


@pytest.fixture
def race() -> Callable[..., list[Any]]:
    """Runs calls at the same moment, a thread each; what each returned, or the ChatError that it raised."""

    def run(*calls: Callable[[], Any]) -> list[Any]:
        start = Barrier(len(calls))

        def outcome(call: Callable[[], Any]) -> Any:
            try:
                start.wait(timeout=10)
                return call()
            except ChatError as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(outcome, calls))

    return run


@pytest.fixture
def announced() -> Iterator[list[tuple[str, str]]]:
    """(stream, type) of every event that a commit announced, in order."""
    heard: list[tuple[str, str]] = []

    def hear(*, events: list[Any], **_signal: Any) -> None:
        heard.extend((event.stream, event.type) for event in events)

    events_committed.connect(hear)
    yield heard
    events_committed.disconnect(hear)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any, str]]:
    """(user id, session ids or None, reason) of every order to close sockets."""
    heard: list[tuple[Any, Any, str]] = []

    def hear(user_id: Any, *, session_ids: Any, code: Any) -> None:
        heard.append((user_id, session_ids and list(session_ids), code.reason))

    monkeypatch.setattr(publish, "end_connections", hear)
    return heard


@pytest.fixture
def forge() -> Callable[..., str]:
    """A token for a session, right in all that isn't given otherwise; a claim of None is left out."""

    def make(session: Session, *, key: str = "", algorithm: str = "HS256", **claims: Any) -> str:
        now = int(time.time())
        payload = {
            "token_type": "access",
            "sub": str(session.user_id),
            "sid": str(session.id),
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + 600,
            **claims,
        }
        payload = {name: value for name, value in payload.items() if value is not None}
        signed_with = "" if algorithm == "none" else key or settings.SIMPLE_JWT["SIGNING_KEY"]
        return jwt.encode(payload, signed_with, algorithm=algorithm)

    return make
