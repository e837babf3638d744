"""A group of alice, its owner, and bob; and what tests of rooms need besides."""

from __future__ import annotations

import pytest

from accounts.models import User
from rooms import services
from rooms.models import Room


@pytest.fixture
def room(alice: User, bob: User) -> Room:
    return services.create_room(alice, name="Kitchen", slug="kitchen", member_ids=[bob.id])
