"""Tokens and tickets, good and bad, for the tests of getting in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
from rest_framework_simplejwt.tokens import AccessToken
from rest_framework_simplejwt.utils import aware_utcnow

from accounts.tokens import read_access
from tests.live import Person


def subprotocols(token: str) -> Any:
    return ["chat.v1", f"chat.v1.token.{token}"]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ticket_of(person: Person) -> str:
    return str(person.call("POST", "/auth/ws-ticket").json()["ticket"])


def token_that_ends_in(seconds: int, person: Person) -> str:
    """An access token of the person's own session, with another end."""
    token = AccessToken()
    for claim in ("sub", "sid"):
        token[claim] = read_access(person.token)[claim]
    token.set_exp(from_time=aware_utcnow(), lifetime=timedelta(seconds=seconds))
    return str(token)


def forged(token: str, *, algorithm: str, key: str) -> str:
    """The claims of `token` under another signature."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, key or None, algorithm=algorithm)
