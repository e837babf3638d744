"""The stage of the security matrix: one person of each kind, what they have to do with, and what is foreign to all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from django.apps import apps
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection, transaction
from django.utils import timezone

from accounts import tokens
from accounts.models import Session, User
from accounts.services import deactivate_users
from chatproject import routing
from core.errors import ChatError
from friendships import services as friendships
from messaging import services as messaging
from messaging.models import Message
from realtime import hub as hubs
from realtime import protocol
from realtime.router import Call
from rooms import services as rooms
from rooms.models import Membership, Room
from tests.documented import DocumentedClient
from tests.files import picture
from tests.security_rows import A_PICTURE, PASSWORD, PEOPLE, Row

Names = dict[str, str]

FOREIGN = "foreign_"
"""The beginning of the names of what none of the cast has to do with."""

OPEN = {"user", "someone", "username", "refresh", "code", "hall"}
"""What a stranger may name, too: it has no foreign counterpart."""


class Answer(NamedTuple):
    """A row's outcome, and of a refusal all that is told."""

    outcome: int | str
    told: Any = None


class Stage:
    """Two groups in which everybody has their part: a private one, and a public one. Made once, and never changed.

    The bystander is a member of both, has a direct room with everybody, and has blocked who is `blocked`.
    """

    def __init__(self) -> None:
        self._users = {name: _user(name) for name in PEOPLE if name != "anonymous"}
        self._bystander, self._someone, self._outcast = map(_user, ("bystander", "someone", "outcast"))
        self._fan, self._idol, self._friend = map(_user, ("fan", "idol", "friend"))
        room, hall = self._group("private"), self._group("public")
        self._own = {name: self._things_of(user, room) for name, user in self._users.items()}
        self._own["anonymous"] = self._own["member"] | {"username": "nobody", "refresh": "nothing"}
        self._shared = self._things_in(room) | {"hall": str(hall.id)} | _foreign_things()
        friendships.block_user(self._bystander, user_id=self._users["blocked"].id)
        for group in (room, hall):
            key, owner = str(group.id), self._users["owner"]
            rooms.leave_room(self._users["ex_member"], room_key=key)
            for user in (self._users["banned"], self._outcast):
                rooms.ban_user(owner, room_key=key, user_id=user.id)
        access = {name: tokens.issue(_session(user)).access for name, user in self._users.items()}
        deactivate_users([self._users["suspended"]])

        self._bearers = {name: f"Bearer {token}" for name, token in access.items()}
        self._clients = {name: DocumentedClient() for name in PEOPLE}
        for name, bearer in self._bearers.items():
            self._clients[name].credentials(HTTP_AUTHORIZATION=bearer)
        arrivals = routing.arrive([tokens.claims_of(token) for token in access.values()])
        self._callers = {
            name: arrival.identity
            for name, arrival in zip(access, arrivals, strict=True)
            if not isinstance(arrival, ChatError)
        }
        self._tables = _tables()

    def _group(self, visibility: str) -> Room:
        members = [
            user.id for name, user in self._users.items() if name not in ("owner", "stranger", "staff")
        ]
        room = rooms.create_room(
            self._users["owner"],
            name=visibility,
            visibility=visibility,
            member_ids=[*members, self._bystander.id],
        )
        Membership.objects.filter(room=room, user=self._users["admin"]).update(role="admin")
        return room

    def _things_in(self, room: Room) -> Names:
        """The private group, and what is in it."""
        code = rooms.create_invite(self._users["owner"], room_key=str(room.id)).code
        things = {
            "room": room.id,
            "message": _say(self._bystander, room).id,
            "file": _send_file(self._bystander, room).file_id,
            "user": self._bystander.id,
            "other": self._bystander.id,
            "someone": self._someone.id,
            "outcast": self._outcast.id,
            "code": code,
            "invite": code,
        }
        return {name: str(id_) for name, id_ in things.items()}

    def _things_of(self, user: User, room: Room) -> Names:
        """What is a person's own. A message in the group, if they ever were in it, else in one of their own."""
        direct, _ = rooms.open_direct_room(user, user_id=self._bystander.id)
        was_there = Membership.objects.filter(room=room, user=user).exists()
        accepted = friendships.request_friendship(self._friend, user_id=user.id)
        friendships.accept_request(user, request_id=accepted.id)
        return {
            "username": user.username,
            "refresh": tokens.issue(_session(user)).refresh,
            "session": str(_session(user).id),
            "mine": str(_say(user, room if was_there else rooms.create_room(user, name="Den")).id),
            "direct": str(direct.id),
            "direct_message": str(_say(self._bystander, direct).id),
            "direct_mine": str(_say(user, direct).id),
            "direct_file": str(_send_file(self._bystander, direct).file_id),
            "upload": str(messaging.upload_file(user, file=picture()).id),
            "friend": str(self._friend.id),
            "request": str(friendships.request_friendship(self._fan, user_id=user.id).id),
            "asked": str(friendships.request_friendship(user, user_id=self._idol.id).id),
        }

    # --- Asking ---------------------------------------------------------------------------------

    def names(self, person: str) -> Names:
        """What the names in a row stand for where this person asks."""
        return self._shared | self._own[person]

    def ask(self, person: str, row: Row, names: Names) -> Answer:
        body = _filled(row.body, names)
        if row.is_frame:
            return self._send(person, row.operation, body)
        method, path = row.operation.format_map(names).split()
        form = {}
        if row.body == A_PICTURE:
            body, form = {"file": picture()}, {"format": "multipart"}
        response = getattr(self._clients[person], method.lower())(f"/api/v1{path}", body, **form)
        if response.status_code < 400:
            return Answer(response.status_code)
        told = response.json()
        return Answer(told["code"], {**told, "request_id": ""})

    def _send(self, person: str, type_: str, data: Any) -> Answer:
        """What the consumer does with a frame of theirs; it itself, where it would not let them in."""
        if person not in self._callers:
            return asyncio.run(self._knock(person, type_, data))
        route = routing.router.by_type[type_]
        call = Call(self._callers[person], protocol.typed(route.data, data))
        try:
            if route.batched:
                (outcome,) = route.handler([call], wait=True)
            else:
                outcome = route.handler(call.caller, call.data)
        except ChatError as error:
            outcome = error
        if isinstance(outcome, ChatError):
            return Answer(outcome.code, (outcome.detail, outcome.errors))
        return Answer("nothing" if route.ack == "never" else "ack")

    async def _knock(self, person: str, type_: str, data: Any) -> Answer:
        bearer = self._bearers.get(person)
        scope = {
            "type": "websocket",
            "path": "/ws",
            "headers": [(b"authorization", bearer.encode())] if bearer else [],
            "query_string": b"",
            "subprotocols": [],
        }
        refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        incoming = [
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": json.dumps({"type": type_, "id": "1", "data": data})},
        ]

        async def receive() -> dict[str, Any]:
            if incoming:
                return incoming.pop(0)
            await refused
            return {"type": "websocket.disconnect", "code": 1000}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "websocket.send" and not refused.done():
                frame = json.loads(message["text"])
                refused.set_result(frame["data"]["code"] if frame["type"] == "error" else frame["type"])

        async with asyncio.timeout(20):
            await routing.socket(scope, receive, send)
        await hubs.stop()
        return Answer(refused.result())

    # --- What it leaves -------------------------------------------------------------------------

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """Fails if what happens inside leaves a trace in any table of ours."""
        yield
        before, self._tables = self._tables, _tables()
        changed = [name for name, rows in self._tables.items() if rows != before[name]]
        assert not changed, changed

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """Leaves no trace of what happens inside."""
        with transaction.atomic():
            yield
            transaction.set_rollback(True)


def foreign(names: Names) -> Names:
    """The names, each standing for what its foreign counterpart is."""
    return {name: names.get(FOREIGN + name, id_) for name, id_ in names.items()}


def missing(names: Names, row: Row) -> Names:
    """The names, those of the row's objects standing for what is nowhere: of the foreign ones, if there are some."""
    named = [name for name in names if f"{{{name}}}" in f"{row.operation} {row.body}"]
    hidden = [name for name in named if name.startswith(FOREIGN)] or named
    return names | {name: str(uuid4()) for name in hidden}


def _filled(body: Any, names: Names) -> Any:
    if isinstance(body, str):
        return body.format_map(names)
    if isinstance(body, dict):
        return {key: _filled(value, names) for key, value in body.items()}
    return [_filled(item, names) for item in body] if isinstance(body, list) else body


def _tables() -> dict[str, frozenset[tuple[Any, ...]]]:
    """All that is in the tables of ours."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if not model.__module__.startswith("django."):
                cursor.execute(f"SELECT * FROM {model._meta.db_table}")  # noqa: S608
                found[model._meta.db_table] = frozenset(cursor.fetchall())
    return found


def _user(name: str) -> User:
    user = User.objects.create_user(name, f"{name}@example.com", is_staff=name == "staff")
    # Encoded by hand: what the tests' setting has made fast is not fast yet when a module's stage is made.
    hasher = MD5PasswordHasher()
    user.password = hasher.encode(PASSWORD, hasher.salt())
    user.save(update_fields=["password"])
    return user


def _session(user: User) -> Session:
    ends = timezone.now() + timedelta(days=1)
    return Session.objects.create(user=user, refresh_id=uuid4(), expires_at=ends)


def _say(user: User, room: Room) -> Message:
    draft = messaging.Draft(sender_id=user.id, room=str(room.id), content="Hello")
    return messaging.send_message(draft).message


def _send_file(user: User, room: Room) -> Message:
    file = messaging.upload_file(user, file=picture())
    draft = messaging.Draft(sender_id=user.id, room=str(room.id), file_id=str(file.id))
    return messaging.send_message(draft).message


def _foreign_things() -> Names:
    """What others have among themselves."""
    one, other, third = map(_user, ("one", "another", "third"))
    room = rooms.create_room(one, name="Elsewhere", member_ids=[other.id])
    direct, _ = rooms.open_direct_room(one, user_id=other.id)
    rooms.ban_user(one, room_key=str(room.id), user_id=third.id)
    request = friendships.request_friendship(one, user_id=other.id)
    message, direct_message = _say(one, room), _say(one, direct)
    things = {
        "room": room.id,
        "message": message.id,
        "mine": message.id,
        "direct": direct.id,
        "direct_message": direct_message.id,
        "direct_mine": direct_message.id,
        "file": _send_file(one, room).file_id,
        "direct_file": _send_file(one, direct).file_id,
        "upload": messaging.upload_file(one, file=picture()).id,
        "other": other.id,
        "outcast": third.id,
        "invite": rooms.create_invite(one, room_key=str(room.id)).code,
        "session": _session(one).id,
        "friend": one.id,
        "request": request.id,
        "asked": request.id,
    }
    return {FOREIGN + name: str(id_) for name, id_ in things.items()}
