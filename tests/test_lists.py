"""Every list of the API: as many queries for a hundred rows as for one, and pages that hold still while rows come.

Whoever adds a list adds it here, with what makes rows of it; the last test fails otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Session, User
from friendships.models import Block, FriendRequest, Friendship
from messaging import services as messaging
from messaging.models import Message, Pin, Reaction, Revision
from rooms import services as rooms
from rooms.models import Ban, Invite, Membership
from tests.documented import document

pytestmark = pytest.mark.django_db

SIZES = (1, 10, 100)


class World:
    """Alice, who looks, her kitchen, and her direct room with bob, who has said something in both."""

    def __init__(self, alice: User, bob: User) -> None:
        self.alice, self.bob = alice, bob
        self.now = timezone.now()  # of all rows, so that it doesn't tell which of them is first
        self.kitchen = rooms.create_room(alice, name="Kitchen", slug="kitchen", member_ids=[bob.id])
        (self.first,) = self.say(bob, "kitchen")
        direct, _ = rooms.open_direct_room(alice, user_id=bob.id)
        self.say(bob, str(direct.id))
        self.asked_for: list[str] = []

    def say(self, sender: User, *keys: str, **fields: Any) -> list[Message]:
        """A message with a mention to each of the rooms."""
        drafts = [
            messaging.Draft(sender_id=sender.id, room=key, content="@alice @bob Who cooks?", **fields)
            for key in keys
        ]
        return [sent.message for sent in messaging.send_messages(drafts)]

    def people(self, count: int) -> list[User]:
        """New users, whose names are in no order."""
        names = [f"person-{uuid4().hex[:20]}" for _ in range(count)]
        return [User.objects.create_user(name, f"{name}@example.com") for name in names]


@dataclass(frozen=True)
class List:
    """A list, and how it gets so many rows more.

    Args:
        queries: of a page that has rows, that for the session among them.
        is_paged: whether there are cursors.
    """

    path: str
    fill: Callable[[World, int], object]
    queries: int
    query: dict[str, Any] = field(default_factory=dict)
    is_paged: bool = True

    def __str__(self) -> str:
        return f"{self.path} {self.query or ''}"


def sessions(world: World, count: int) -> None:
    moments = {"created_at": world.now, "expires_at": world.now + timedelta(days=1)}
    Session.objects.bulk_create(
        Session(user=world.alice, refresh_id=uuid4(), **moments) for _ in range(count)
    )


def users(world: World, count: int) -> None:
    world.people(count)


def friends(world: World, count: int) -> None:
    Friendship.objects.bulk_create(
        Friendship(user=world.alice, friend=person, since=world.now) for person in world.people(count)
    )


def presences(world: World, count: int) -> None:
    friends(world, count)
    ids = Friendship.objects.filter(user=world.alice).values_list("friend_id", flat=True)
    world.asked_for = [str(id_) for id_ in ids]


def incoming(world: World, count: int) -> None:
    _ask([(person, world.alice) for person in world.people(count)], world)


def outgoing(world: World, count: int) -> None:
    _ask([(world.alice, person) for person in world.people(count)], world)


def _ask(pairs: list[tuple[User, User]], world: World) -> None:
    FriendRequest.objects.bulk_create(
        FriendRequest(from_user=one, to_user=other, pending_key=uuid4(), created_at=world.now)
        for one, other in pairs
    )


def blocks(world: World, count: int) -> None:
    Block.objects.bulk_create(
        Block(blocker=world.alice, blocked=person, pair_key=uuid4(), created_at=world.now)
        for person in world.people(count)
    )


def groups(world: World, count: int) -> None:
    """In each somebody has spoken: in some of them before alice came, who may not read that in some of those."""
    made = [
        rooms.create_room(world.bob, name="Hall", history="joined" if number % 3 else "all")
        for number in range(count)
    ]
    for room in made[::2]:
        rooms.add_members(world.bob, room_key=str(room.id), user_ids=[world.alice.id])
    world.say(world.bob, *(str(room.id) for room in made))
    for room in made[1::2]:
        rooms.add_members(world.bob, room_key=str(room.id), user_ids=[world.alice.id])
    for person in world.people(count // 4):
        direct, _ = rooms.open_direct_room(world.alice, user_id=person.id)
        world.say(person, str(direct.id))


def halls(world: World, count: int) -> None:
    made = [rooms.create_room(world.bob, name="Hall", visibility="public") for _ in range(count)]
    world.say(world.bob, *(str(room.id) for room in made))


def members(world: World, count: int) -> None:
    ids = [person.id for person in world.people(count)]
    rooms.add_members(world.alice, room_key="kitchen", user_ids=ids)


def bans(world: World, count: int) -> None:
    Ban.objects.bulk_create(
        Ban(room=world.kitchen, user=person, created_at=world.now) for person in world.people(count)
    )


def invites(world: World, count: int) -> None:
    Invite.objects.bulk_create(Invite(room=world.kitchen, created_at=world.now) for _ in range(count))


def messages(world: World, count: int) -> list[Message]:
    """Each an answer, with mentions and a reaction."""
    said = world.say(world.bob, *["kitchen"] * count, reply_to=str(world.first.id))
    Reaction.objects.bulk_create(Reaction(message=one, user=world.alice, emoji="👍") for one in said)
    Message.objects.filter(id__in=[one.id for one in said]).update(reaction_count=1)
    return said


def found(world: World, count: int) -> None:
    """Each passes on what somebody has said who has nothing else to do with it."""
    for message in messages(world, count):
        Message.objects.filter(id=message.id).update(
            forwarded_sender=world.people(1)[0], forwarded_at=world.now
        )


def receipts(world: World, count: int) -> None:
    """Of a message that they were there for."""
    people = world.people(count)
    rooms.add_members(world.alice, room_key="kitchen", user_ids=[person.id for person in people])
    read = {"last_read_seq": world.first.seq, "joined_pos": 0}
    Membership.objects.filter(room=world.kitchen, user__in=people).update(**read)


def pins(world: World, count: int) -> None:
    said = messages(world, count)
    Pin.objects.bulk_create(Pin(message=one, room=world.kitchen) for one in said)
    Message.objects.filter(id__in=[one.id for one in said]).update(pinned_at=world.now)


def revisions(world: World, count: int) -> None:
    Revision.objects.bulk_create(
        Revision(message=world.first, content=str(uuid4()), edited_at=world.now) for _ in range(count)
    )


HISTORY = "/rooms/{room_key}/messages"
ANCHORS = {"before", "after", "around"}

LISTS = [
    List("/auth/sessions", sessions, queries=2),
    List("/users", users, queries=8, query={"search": "person"}),
    List("/users/presence", presences, queries=5, is_paged=False),
    List("/friends", friends, queries=2),
    List("/friends", friends, queries=3, query={"online": "false"}),
    List("/friends/requests", incoming, queries=2, query={"direction": "incoming"}),
    List("/friends/requests", outgoing, queries=2, query={"direction": "outgoing"}),
    List("/blocks", blocks, queries=2),
    List("/rooms", groups, queries=5),
    List("/rooms/public", halls, queries=4),
    List("/rooms/{room_key}/members", members, queries=3),
    List("/rooms/{room_key}/bans", bans, queries=3),
    List("/rooms/{room_key}/invites", invites, queries=3),
    List(HISTORY, messages, queries=6),
    List(HISTORY, messages, queries=6, query={"before": 10_000}),
    List(HISTORY, messages, queries=6, query={"after": 0}),
    List(HISTORY, messages, queries=7, query={"around": 4}),
    List("/rooms/{room_key}/pins", pins, queries=6),
    List("/messages/search", found, queries=8, query={"q": "cooks", "room_id": "kitchen"}),
    List("/messages/{message_id}/history", revisions, queries=3),
    List("/messages/{message_id}/receipts", receipts, queries=3),
    List("/messages/{message_id}/replies", messages, queries=6),
    List("/sync", groups, queries=8),
    List("/unread", groups, queries=3, is_paged=False),
]


class Reader:
    """Alice's client, before one list."""

    def __init__(self, listed: List, world: World, client: APIClient) -> None:
        self.listed, self.world, self.client = listed, world, client
        self.path = f"/api/v1{listed.path}".format(room_key="kitchen", message_id=world.first.id)

    def get(self, **query: Any) -> Any:
        if "cursor" not in query:
            query |= self.listed.query
        else:
            # It takes the place of an anchor.
            query |= {key: value for key, value in self.listed.query.items() if key not in ANCHORS}
        if self.world.asked_for:
            query["ids"] = ",".join(self.world.asked_for)
        return self.client.get(self.path, query).json()

    def walk(self, page: Any, *, by: str) -> list[Any]:
        """This page of two and all after it, or before it; between them something arrives."""
        pages = [page]
        while cursor := pages[-1].get(by):
            self.listed.fill(self.world, 1)
            pages.append(self.get(limit=2, cursor=cursor))
        return pages


@pytest.fixture
def world(alice: User, bob: User) -> World:
    return World(alice, bob)


def rows(answer: Any) -> list[Any]:
    if isinstance(answer, list):
        return answer
    return list(answer["rooms"] if "rooms" in answer else answer["results"])


def names(*pages: Any) -> list[str]:
    """What tells each row from all others of its list."""
    keys = ("id", "code", "user", "content")
    return [str(next(row[key] for key in keys if key in row)) for page in pages for row in rows(page)]


@pytest.mark.parametrize("listed", LISTS, ids=str)
def test_a_hundred_rows_take_as_many_queries_as_one(
    listed: List, world: World, client_of: Callable[[User], APIClient]
) -> None:
    reader, counts, made = Reader(listed, world, client_of(world.alice)), [], 0
    for size in SIZES:
        listed.fill(world, size - made)
        made = size
        with CaptureQueriesContext(connection) as queries:
            answer = reader.get(**({"limit": 100} if listed.is_paged else {}))
        # `around` gives half of the limit on either side.
        assert len(rows(answer)) >= size / 2
        counts.append(len(queries))
    assert counts == [listed.queries] * len(SIZES)


@pytest.mark.parametrize("listed", [listed for listed in LISTS if listed.is_paged], ids=str)
def test_pages_show_each_row_once_and_in_order_while_others_come(
    listed: List, world: World, client_of: Callable[[User], APIClient]
) -> None:
    reader = Reader(listed, world, client_of(world.alice))
    listed.fill(world, 6)
    there = names(reader.get(limit=100))
    assert len(there) >= 6
    first = reader.get(limit=2)
    down = reader.walk(first, by="next_cursor")
    # Only `around` begins in the middle.
    above = reader.walk(first, by="previous_cursor")[:0:-1]
    up = reader.walk(down[-1], by="previous_cursor")[::-1]
    for pages in ([*above, *down], up if listed.path != "/sync" else [*down]):
        seen = names(*pages)
        assert len(set(seen)) == len(seen)
        assert [name for name in seen if name in there] == there


def test_every_list_is_here() -> None:
    """What answers with many of something, and not with one thing that has parts."""
    found = {}
    for path, methods in document().root["paths"].items():
        operation = methods.get("get", {"responses": {}})
        answer = document().resolved(operation["responses"].get("200", {}))
        schema = document().resolved(answer.get("content", {}).get("application/json", {}).get("schema", {}))
        parts = schema.get("properties", {})
        if schema.get("type") == "array" or (
            "id" not in parts and any(part.get("type") == "array" for part in parts.values())
        ):
            names_ = {parameter["name"] for parameter in operation.get("parameters", ())}
            found[path.removeprefix("/api/v1")] = "cursor" in names_
    assert found == {listed.path: listed.is_paged for listed in LISTS}
