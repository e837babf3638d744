"""What the tests of friendships share: a friendship, a race, and an ear for what was committed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from friendships.services import accept_request, request_friendship


@pytest.fixture
def befriend(db: None) -> Callable[[User, User], None]:
    """Makes two users friends: the first one asks, the other one accepts."""

    def make(one: User, other: User) -> None:
        accept_request(other, request_id=request_friendship(one, user_id=other.id).id)

    return make
