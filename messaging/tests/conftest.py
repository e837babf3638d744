"""A group of alice and bob to talk in; and what tests of messages need besides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from messaging import services
from messaging.models import Message
from rooms.models import Room
from rooms.services import create_room


@pytest.fixture
def room(alice: User, bob: User) -> Room:
    return create_room(alice, name="Kitchen", slug="kitchen", member_ids=[bob.id])


@pytest.fixture
def draft_of(room: Room) -> Callable[..., services.Draft]:
    """Makes a draft of a user, to the kitchen unless told otherwise."""

    def make(user: User, content: str | None = "Hi", **fields: str | None) -> services.Draft:
        fields.setdefault("room", "kitchen")
        return services.Draft(sender_id=user.id, content=content, **fields)

    return make


@pytest.fixture
def say(draft_of: Callable[..., services.Draft]) -> Callable[..., Message]:
    """Sends a message of a user, to the kitchen unless told otherwise."""

    def send(user: User, content: str | None = "Hi", **fields: str | None) -> Message:
        return services.send_message(draft_of(user, content, **fields)).message

    return send


@pytest.fixture
def shown(client_of: Callable[[User], APIClient]) -> Callable[[User, Message], dict[str, Any]]:
    """A message as REST shows it to a user now."""
    return lambda viewer, message: client_of(viewer).get(f"/api/v1/messages/{message.id}").json()


@pytest.fixture
def search(client_of):
    """The contents that a user's search finds, newest first."""

    def run(user, q, **query):
        answer = client_of(user).get("/api/v1/messages/search", {"q": q, **query})
        assert answer.status_code == 200, answer.json()
        return [message["content"] for message in answer.json()["results"]]

    return run
