"""docs/roles.md: its table is what happens, cell by cell."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from rooms import services, urls
from rooms.models import Membership, Room
from tests.files import picture

pytestmark = pytest.mark.django_db

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "roles.md"
MUTED = {"muted_until": "2999-01-01T00:00:00Z"}


def table() -> dict[str, dict[str, str]]:
    """What each role gets, by operation."""
    _, found, rest = DOCUMENT.read_text().partition("| operation ")
    lines = f"{found}{rest}".partition("\n\n")[0].splitlines()
    (_, *roles), _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {operation: dict(zip(roles, outcomes, strict=True)) for operation, *outcomes in rows}


TABLE = table()
CELLS = [(operation, role) for operation, row in TABLE.items() for role in row]


class Stage:
    """A private room with somebody of each kind, and somebody of each to do something to."""

    def __init__(self, client_of: Callable[[User], APIClient]) -> None:
        names = ("owner", "admin", "member", "not a member", "banned", "other", "boss", "outcast", "outsider")
        self.users = {
            name: User.objects.create_user(f"{name.replace(' ', '-')}-x", f"user{n}@example.com")
            for n, name in enumerate(names)
        }
        members = [self.users[name].id for name in ("admin", "member", "other", "boss")]
        self.room = services.create_room(self.users["owner"], name="Kitchen", member_ids=members)
        for name in ("admin", "boss"):
            self.become(name, "admin")
        for name in ("banned", "outcast"):
            services.ban_user(self.users["owner"], room_key=str(self.room.id), user_id=self.users[name].id)
        self.invite = services.create_invite(self.users["owner"], room_key=str(self.room.id))
        self._client_of = client_of

    def become(self, name: str, role: str) -> None:
        Membership.objects.filter(user=self.users[name]).update(role=role)

    def set(self, **fields: Any) -> None:
        Room.objects.update(**fields)

    def ask(self, who: str, operation: str, body: Any = None, *, to: str = "other", **options: Any) -> Any:
        """The answer to `POST /rooms/{id}/join`, say; `to` is whose id stands for {user_id}."""
        method, path = operation.split()
        path = path.format(id=self.room.id, user_id=self.users[to].id, code=self.invite.code)
        return getattr(self._client_of(self.users[who]), method.lower())(f"/api/v1{path}", body, **options)


def plain(body: Any = None, *, to: str = "other", **state: Any) -> Callable[[Stage, str, str], Any]:
    """Asks for the operation that the row names, of a room in that state."""

    def attempt(stage: Stage, who: str, operation: str) -> Any:
        stage.set(**state)
        return stage.ask(who, operation, body, to=to)

    return attempt


def with_a_picture(**state: Any) -> Callable[[Stage, str, str], Any]:
    def attempt(stage: Stage, who: str, operation: str) -> Any:
        stage.set(**state)
        return stage.ask(who, operation, {"file": picture()}, format="multipart")

    return attempt


def after_a_mute(stage: Stage, who: str, operation: str) -> Any:
    stage.become("boss", "owner")
    stage.ask("boss", "PATCH /rooms/{id}/members/{user_id}", MUTED, to=who)
    return stage.ask(who, operation, {"content": "Hi"})


def lock_and_unlock(stage: Stage, who: str, operation: str) -> Any:
    stage.ask(who, operation, {"state": "locked"})
    return stage.ask(who, operation, {"state": "active"})


def archive_and_open(stage: Stage, who: str, operation: str) -> Any:
    first = stage.ask(who, operation, {"state": "archived"})
    stage.set(state="archived")
    second = stage.ask(who, operation, {"state": "active"})
    assert first.status_code == second.status_code
    return second


def with_another_owner(stage: Stage, who: str, operation: str) -> Any:
    stage.become("boss", "owner")
    return stage.ask(who, operation, to="boss")


def of_oneself(body: Any) -> Callable[[Stage, str, str], Any]:
    return lambda stage, who, operation: stage.ask(who, operation, body, to=who)


def for_a_stranger(stage: Stage, who: str, operation: str) -> Any:
    body = {"user_ids": [str(stage.users["outsider"].id)]}
    return stage.ask(who, operation, body)


def of_an_archived_room(stage: Stage, who: str, operation: str) -> Any:
    stage.set(state="archived")
    return for_a_stranger(stage, who, operation)


def to_another_member(stage: Stage, who: str, operation: str) -> Any:
    return stage.ask(who, operation, {"user_id": str(stage.users["other"].id)})


ATTEMPTS: dict[str, Callable[[Stage, str, str], Any]] = {
    "`GET /rooms/{id}`": plain(),
    "`GET /rooms/{id}/members`": plain(),
    "`GET /rooms/{id}/messages`": plain(),
    "`PUT /rooms/{id}/read`": plain({"seq": 0}),
    "`PATCH /rooms/{id}/me`": plain({"pinned": True}),
    "`POST /rooms/{id}/messages`": plain({"content": "Hi"}),
    "`POST /rooms/{id}/messages` in a locked room": plain({"content": "Hi"}, state="locked"),
    "`POST /rooms/{id}/messages` in an archived room": plain({"content": "Hi"}, state="archived"),
    "`POST /rooms/{id}/messages` after a mute": after_a_mute,
    "`PATCH /rooms/{id}` name, topic, slug, visibility, history": plain(
        {"name": "A", "topic": "B", "slug": "abc", "visibility": "public", "history": "joined"}
    ),
    "`PATCH /rooms/{id}` to lock or unlock it": lock_and_unlock,
    "`PATCH /rooms/{id}` to archive it, or to open it again": archive_and_open,
    "`PATCH /rooms/{id}` anything else of an archived room": plain({"topic": "B"}, state="archived"),
    "`PUT /rooms/{id}/avatar`": with_a_picture(),
    "`PUT /rooms/{id}/avatar` of an archived room": with_a_picture(state="archived"),
    "`DELETE /rooms/{id}/avatar`": plain(),
    "`DELETE /rooms/{id}`": plain(),
    "`POST /rooms/{id}/transfer`": to_another_member,
    "`POST /rooms/{id}/join` a public room": plain(visibility="public"),
    "`POST /rooms/{id}/join` any other room": plain(),
    "`POST /rooms/{id}/leave`": plain(),
    "`POST /rooms/{id}/leave` with another owner there": with_another_owner,
    "`POST /rooms/{id}/members`": for_a_stranger,
    "`POST /rooms/{id}/members` of an archived room": of_an_archived_room,
    "`PATCH /rooms/{id}/members/{user_id}` a role": plain({"role": "admin"}),
    "`PATCH /rooms/{id}/members/{user_id}` one's own role": of_oneself({"role": "member"}),
    "`PATCH /rooms/{id}/members/{user_id}` to mute a member": plain(MUTED),
    "`PATCH /rooms/{id}/members/{user_id}` to mute an admin": plain(MUTED, to="boss"),
    "`PATCH /rooms/{id}/members/{user_id}` to mute oneself": of_oneself(MUTED),
    "`DELETE /rooms/{id}/members/{user_id}` a member": plain(),
    "`DELETE /rooms/{id}/members/{user_id}` an admin": plain(to="boss"),
    "`DELETE /rooms/{id}/members/{user_id}` another owner": with_another_owner,
    "`GET /rooms/{id}/bans`": plain(),
    "`PUT /rooms/{id}/bans/{user_id}` a member": plain({}),
    "`PUT /rooms/{id}/bans/{user_id}` an admin": plain({}, to="boss"),
    "`PUT /rooms/{id}/bans/{user_id}` a stranger": plain({}, to="outsider"),
    "`DELETE /rooms/{id}/bans/{user_id}`": plain(to="outcast"),
    "`GET /rooms/{id}/invites`": plain(),
    "`POST /rooms/{id}/invites`": plain({}),
    "`POST /rooms/{id}/invites` to an archived room": plain({}, state="archived"),
    "`DELETE /rooms/{id}/invites/{code}`": plain(),
    "`GET /invites/{code}`": plain(),
    "`POST /invites/{code}/accept`": plain(),
}


@pytest.fixture
def stage(db: None, client_of: Callable[[User], APIClient]) -> Stage:
    return Stage(client_of)


@pytest.mark.parametrize(("operation", "role"), CELLS)
def test_it_is_as_the_table_says(stage: Stage, operation: str, role: str) -> None:
    answer = ATTEMPTS[operation](stage, role, operation.split("`")[1])
    outcome = "yes" if answer.status_code < 300 else answer.json()["code"]
    assert outcome == TABLE[operation][role]


def test_every_row_is_tried_and_every_operation_on_a_room_has_a_row() -> None:
    assert list(ATTEMPTS) == list(TABLE)
    served = {
        re.sub(r"<\w+:(\w+)>", r"{\1}", f"{method.upper()} /{path.pattern}")
        for path in urls.urlpatterns
        for method in path.callback.actions
        if method != "head"
    }
    of_a_room = {operation.replace("{room_key}", "{id}") for operation in served if "{" in operation}
    assert len(of_a_room) > 15
    assert of_a_room <= {operation.split("`")[1] for operation in TABLE}
