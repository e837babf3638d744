"""A group of alice and bob, and something in it that one may take offence at."""

from __future__ import annotations

import pytest

from accounts.models import User
from messaging.models import Message
from messaging.services import Draft, send_message
from rooms.models import Room
from rooms.services import create_room


@pytest.fixture
def room(alice: User, bob: User) -> Room:
    return create_room(alice, name="Kitchen", slug="kitchen", topic="Tea", member_ids=[bob.id])


@pytest.fixture
def said(bob: User, room: Room) -> Message:
    """What bob said."""
    draft = Draft(sender_id=bob.id, room="kitchen", content="<b>Rubbish!</b>")
    return send_message(draft).message
