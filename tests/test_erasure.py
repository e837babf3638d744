"""An erasure as a whole: stopped anywhere it goes on, it does so beside others, and open sockets hear of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Erasure, User
from accounts.services import erase_users, finish_erasure, set_avatar, update_me
from accounts.services.erasing import erasing
from core.errors import ChatError
from eventlog.models import Event
from friendships import services as friendships
from friendships.models import Friendship
from messaging import services as messaging
from rooms import services as rooms
from rooms.models import Membership
from tests.cards import erased, in_the_log
from tests.files import picture
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The end of a process, as far as the database can tell."""


class Kill:
    """Ends the work at the statement of that number."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise Killed
        return execute(*statement)


@pytest.fixture
def _nobody_finishes() -> Iterator[None]:
    """What is put into the background waits there until the test is over."""
    gate = threading.Event()
    erasing.put(gate.wait)  # type: ignore[arg-type]
    yield
    gate.set()
    erasing.wait()


def live(alice: User, bob: User, charlie: User) -> None:
    """A life of alice's with something of everything."""
    set_avatar(alice, file=picture())
    request = friendships.request_friendship(alice, user_id=bob.id, message="It's Alice!")
    friendships.accept_request(bob, request_id=request.id)
    friendships.request_friendship(charlie, user_id=alice.id)
    kitchen = rooms.create_room(alice, name="Kitchen", member_ids=[bob.id])
    garage = rooms.create_room(bob, name="Garage", member_ids=[charlie.id])
    rooms.create_room(alice, name="Mine")
    direct, _ = rooms.open_direct_room(alice, user_id=bob.id)
    for room in (kitchen, direct):
        for _ in range(3):
            said = _say(alice, room, "secret")
            answer = _say(bob, room, "Yes", reply_to=str(said.id))
            messaging.add_reaction(alice.id, message_id=answer.id, emoji="👍")
    _say(bob, garage, None, forward_of=str(said.id))
    messaging.upload_file(alice, file=picture())


def _say(sender: User, room: Any, content: str | None, **fields: str) -> Any:
    draft = messaging.Draft(sender_id=sender.id, room=str(room.id), content=content, **fields)
    return messaging.send_message(draft).message


def events_by_type() -> dict[str, int]:
    types = list(Event.objects.values_list("type", flat=True))
    return {type_: types.count(type_) for type_ in set(types)}


@pytest.mark.usefixtures("_nobody_finishes")
def test_killed_at_any_statement_it_goes_on_and_tells_nothing_twice(
    alice: User, bob: User, charlie: User
) -> None:
    live(alice, bob, charlie)
    erase_users([alice], erases_messages=True)
    kills, at = 0, 0
    while Erasure.objects.exists():
        at += 7
        try:
            with connection.execute_wrapper(Kill(at)):
                finish_erasure(alice.id)
        except Killed:
            kills += 1
    assert kills > 10
    left = User.objects.get(id=alice.id)
    assert in_the_log(alice) == {left.username}
    told = events_by_type()
    assert told["message.deleted"] == told["reaction.removed"] == 6
    assert (told["member.removed"], told["friend.removed"], told["room.deleted"]) == (1, 2, 1)
    # In the kitchen of who owns it now, in the direct room of who is left.
    assert told["member.updated"] == 2


@pytest.mark.usefixtures("_nobody_finishes")
def test_two_that_finish_the_same_one_tell_nothing_twice(
    alice: User, bob: User, charlie: User, race: Callable[..., list[Any]]
) -> None:
    live(alice, bob, charlie)
    erase_users([alice], erases_messages=True)
    assert race(*(lambda: finish_erasure(alice.id) for _ in range(3))) == [None] * 3
    told = events_by_type()
    assert (told["message.deleted"], told["member.removed"], told["member.updated"]) == (6, 1, 2)
    assert in_the_log(alice) == {User.objects.get(id=alice.id).username}


@pytest.mark.usefixtures("_nobody_finishes")
def test_the_command_finishes_what_a_server_has_left(alice: User, bob: User, charlie: User) -> None:
    live(alice, bob, charlie)
    erase_users([alice, bob], erases_messages=False)
    for expected in ("2 erasures finished.\n", "0 erasures finished.\n"):
        out = StringIO()
        call_command("finish_erasures", stdout=out)
        assert out.getvalue() == expected
    for user in (alice, bob):
        assert in_the_log(user) == {User.objects.get(id=user.id).username}


class Meanwhile:
    """Has something done by another thread when a statement is about to come, and waits for it, but not for ever."""

    def __init__(self, before: str, do: Callable[[], Any]) -> None:
        self.before, self.do = before, do
        self.thread: threading.Thread | None = None

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if self.thread is None and all(part in sql for part in self.before.split(" … ")):
            self.thread = threading.Thread(target=self._run)
            self.thread.start()
            self.thread.join(1)
        return execute(sql, *rest)

    def _run(self) -> None:
        try:
            self.do()
        finally:
            connection.close()


def request(alice: User, bob: User) -> Callable[[], Any]:
    return lambda: friendships.request_friendship(alice, user_id=bob.id)


def accept(alice: User, bob: User) -> Callable[[], Any]:
    asked = friendships.request_friendship(alice, user_id=bob.id)
    return lambda: friendships.accept_request(bob, request_id=asked.id)


def part(alice: User, bob: User) -> Callable[[], Any]:
    accept(alice, bob)()
    return lambda: friendships.remove_friend(alice, friend_id=bob.id)


def block(alice: User, bob: User) -> Callable[[], Any]:
    return lambda: friendships.block_user(alice, user_id=bob.id)


def add(alice: User, bob: User) -> Callable[[], Any]:
    room = rooms.create_room(bob, name="Kitchen")
    return lambda: rooms.add_members(bob, room_key=str(room.id), user_ids=[alice.id])


def create(alice: User, bob: User) -> Callable[[], Any]:
    return lambda: rooms.create_room(bob, name="Kitchen", member_ids=[alice.id])


def join(alice: User, bob: User) -> Callable[[], Any]:
    room = rooms.create_room(bob, name="Kitchen", visibility="public")
    return lambda: rooms.join_room(alice, room_key=str(room.id))


def accept_invite(alice: User, bob: User) -> Callable[[], Any]:
    room = rooms.create_room(bob, name="Kitchen")
    invite = rooms.create_invite(bob, room_key=str(room.id))
    return lambda: rooms.accept_invite(alice, code=invite.code)


def open_direct(alice: User, bob: User) -> Callable[[], Any]:
    return lambda: rooms.open_direct_room(bob, user_id=alice.id)


def ban(alice: User, bob: User) -> Callable[[], Any]:
    room = rooms.create_room(bob, name="Kitchen", member_ids=[alice.id])
    return lambda: rooms.ban_user(bob, room_key=str(room.id), user_id=alice.id)


def send(alice: User, bob: User) -> Callable[[], Any]:
    room, _ = rooms.open_direct_room(bob, user_id=alice.id)
    return lambda: _say(alice, room, "secret")


def answer(alice: User, bob: User) -> Callable[[], Any]:
    room, _ = rooms.open_direct_room(bob, user_id=alice.id)
    said = _say(alice, room, "Hi")
    return lambda: _say(bob, room, "Yes", reply_to=str(said.id))


def rename(alice: User, bob: User) -> Callable[[], Any]:
    return lambda: update_me(alice, username="alice2")


@pytest.mark.skipif(connection.vendor == "sqlite", reason="it has one writer: nobody comes between")
@pytest.mark.parametrize(
    "late",
    [request, accept, part, block, add, create, join, accept_invite, open_direct, ban, send, answer, rename],
)
def test_who_has_read_the_user_and_waits_for_a_lock_writes_no_old_name(
    alice: User, bob: User, late: Callable[[User, User], Callable[[], Any]]
) -> None:
    def erase() -> None:
        erase_users([alice], erases_messages=True)
        erasing.wait()

    # Else the stream is made on the way to its lock, and its new row is one already.
    update_me(alice, bio="Hi")
    call, came = late(alice, bob), Meanwhile("eventlog_stream … FOR UPDATE", erase)
    with connection.execute_wrapper(came), suppress(ChatError):
        call()
    assert came.thread is not None
    came.thread.join()
    left = erased(alice)
    assert in_the_log(alice) <= {left.username}
    assert left.username.startswith("deleted-")
    assert not Friendship.objects.exists()
    assert not Membership.active.filter(user=alice, room__type="group").exists()
    assert not Event.objects.filter(frame__contains="secret").exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="it has one writer: nobody comes between")
def test_who_passes_on_what_the_user_said_has_it_found(alice: User, bob: User) -> None:
    room, _ = rooms.open_direct_room(bob, user_id=alice.id)
    other = rooms.create_room(bob, name="Garage")
    said = _say(alice, room, "Hi")

    def erase() -> None:
        erase_users([alice], erases_messages=False)
        erasing.wait()

    came = Meanwhile("INSERT INTO … messaging_message", erase)
    with connection.execute_wrapper(came):
        _say(bob, other, None, forward_of=str(said.id))
    assert came.thread is not None
    came.thread.join()
    left = erased(alice)
    assert in_the_log(alice) == {left.username}


async def test_sockets_close_and_others_hear_of_it_at_once(server: LiveServer) -> None:
    alice, bob = Person(server, "alice"), Person(server, "bob")
    room = alice.group(bob)
    async with alice.socket() as mine, bob.socket() as his:
        await mine.until("ready")
        await his.until("ready")
        await mine.send("message", {"room_id": room, "content": "secret"})
        await his.until("message")
        answer = alice.call("DELETE", "/users/me?messages=erase", json={"password": alice.password})
        assert answer.status_code == 204
        assert await mine.closed() == 4441
        gone = await his.until("member.removed")
        assert gone["data"]["user"]["display_name"] == "Deleted user"
        assert (await his.until("message.deleted"))["data"]["deleted_by"] == "author"
