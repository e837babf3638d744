"""What the tests of accounts share: an ear for orders to close sockets, and forged tokens."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.core.mail import EmailMessage

from accounts.models import Session
from accounts.services.codes import outbox
from realtime import publish


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any, str]]:
    """(user id, session ids or None, reason) of every order to close sockets."""
    heard: list[tuple[Any, Any, str]] = []

    def hear(user_id: Any, *, session_ids: Any, code: Any) -> None:
        heard.append((user_id, session_ids and list(session_ids), code.reason))

    monkeypatch.setattr(publish, "end_connections", hear)
    return heard


@pytest.fixture
def mails(transactional_db: None, mailoutbox: list[EmailMessage]) -> Callable[[], list[EmailMessage]]:
    """All that has been mailed, once what is under way has been, too."""

    def get() -> list[EmailMessage]:
        outbox.wait()
        return mailoutbox

    return get


@pytest.fixture
def mailed_code(mails: Callable[[], list[EmailMessage]]) -> Callable[[], str]:
    """The code in the last mail."""
    return lambda: re.findall(r"^    (\S{4}-\S{4})$", mails()[-1].body, re.MULTILINE)[0]


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
