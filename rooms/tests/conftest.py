"""A group of alice, its owner, and bob; and what tests of rooms need besides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from friendships.services import accept_request, request_friendship
from rooms import services
from rooms.models import Membership, Room


@pytest.fixture
def befriend(db: None) -> Callable[[User, User], None]:
    """Makes two users friends."""

    def make(one: User, other: User) -> None:
        accept_request(other, request_id=request_friendship(one, user_id=other.id).id)

    return make


@pytest.fixture
def room(alice: User, bob: User) -> Room:
    return services.create_room(alice, name="Kitchen", slug="kitchen", member_ids=[bob.id])


@pytest.fixture
def dave(alice: User, room: Room) -> User:
    """An admin of the kitchen."""
    user = User.objects.create_user("dave", "dave@example.com")
    services.add_members(alice, room_key="kitchen", user_ids=[user.id])
    Membership.objects.filter(user=user).update(role="admin")
    return user


@pytest.fixture
def erin(alice: User, room: Room) -> User:
    """One more member of the kitchen."""
    user = User.objects.create_user("erin", "erin@example.com")
    services.add_members(alice, room_key="kitchen", user_ids=[user.id])
    return user
