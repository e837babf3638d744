"""A group of alice, its owner, and bob; and what tests of rooms need besides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from rooms import services
from rooms.models import Membership, Room


@pytest.fixture
def room(alice: User, bob: User) -> Room:
    return services.create_room(alice, name="Kitchen", slug="kitchen", member_ids=[bob.id])


@pytest.fixture
def membership_of(db: None) -> Callable[[User, Room], Membership]:
    """The row as the database has it now, ended or not."""
    return lambda user, room: Membership.objects.get(user=user, room=room)
