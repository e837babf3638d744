"""What the log shows of users, for tests of erasure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from accounts.models import User
from accounts.services.erasing import erasing
from eventlog.models import Event


def in_the_log(user: User) -> set[str]:
    """The names that the user has in any frame, wherever in it."""
    frames = Event.objects.filter(frame__contains=str(user.id)).values_list("frame", flat=True)
    return {card["username"] for frame in frames for card in _cards(json.loads(frame), str(user.id))}


def erased(user: User) -> User:
    """The user as they are once all of their erasure is through."""
    erasing.wait()
    return User.objects.get(id=user.id)


def _cards(shown: Any, user_id: str) -> Iterator[dict[str, Any]]:
    if isinstance(shown, list):
        for item in shown:
            yield from _cards(item, user_id)
    elif isinstance(shown, dict):
        if shown.get("id") == user_id:
            yield shown
        for value in shown.values():
            yield from _cards(value, user_id)
