"""For every type of event: the state before, and the events, give the state after.

Whoever adds an event type adds a scene here that makes it; the last test fails otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import erase_users, remove_avatar, set_avatar, update_me
from eventlog.models import Event
from friendships import services as friendships
from messaging import services as messaging
from rooms import services as rooms
from tests import client_state
from tests.cards import erased, in_the_log
from tests.files import picture
from tests.live import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

LATER = datetime(2999, 1, 1, tzinfo=UTC)


class World:
    """Alice, who watches, bob, charlie, and a room that all of them are in."""

    def __init__(self, alice: User, bob: User, charlie: User) -> None:
        self.alice, self.bob, self.charlie = alice, bob, charlie
        self.room = rooms.create_room(bob, name="Kitchen", member_ids=[alice.id, charlie.id])
        self.first = self.say(bob, "before").message.id

    def say(self, sender: User, content: str | None, **fields: str) -> messaging.Sent:
        draft = messaging.Draft(sender_id=sender.id, room=str(self.room.id), content=content, **fields)
        return messaging.send_message(draft)

    def send_picture(self, sender: User) -> UUID:
        file = messaging.upload_file(sender, file=picture())
        return self.say(sender, "", file_id=str(file.id)).message.id

    def answer(self, sender: User, content: str) -> UUID:
        return self.say(sender, content, reply_to=str(self.first)).message.id

    def react(self, *reactions: tuple[User, str]) -> None:
        for user, emoji in reactions:
            messaging.add_reaction(user.id, message_id=self.first, emoji=emoji)

    def befriend(self) -> None:
        request = friendships.request_friendship(self.bob, user_id=self.alice.id)
        friendships.accept_request(self.alice, request_id=request.id)


def message(world: World) -> None:
    sent = world.say(world.bob, "one").message
    world.say(world.alice, "two", reply_to=str(sent.id))
    world.say(world.charlie, "three, @alice and @bob")
    world.say(world.charlie, None, forward_of=str(sent.id))
    world.send_picture(world.bob)


def message_updated(world: World) -> None:
    messaging.edit_message(world.bob.id, message_id=world.first, content="earlier, @alice")
    reply = world.answer(world.alice, "one")
    messaging.edit_message(world.bob.id, message_id=world.first, content="long " * 50)
    messaging.edit_message(world.alice.id, message_id=reply, content="two, @bob")
    shown = world.send_picture(world.bob)
    for content in ("my cat", ""):
        messaging.edit_message(world.bob.id, message_id=shown, content=content)


def message_deleted(world: World) -> None:
    world.react((world.alice, "👍"))
    messaging.pin_message(world.bob.id, message_id=world.first)
    replies = [world.answer(world.charlie, f"@alice {number}") for number in range(3)]
    messaging.delete_message(world.charlie.id, message_id=replies[0])
    messaging.edit_message(world.bob.id, message_id=world.first, content="secret")
    messaging.delete_message(world.bob.id, message_id=world.first)
    messaging.delete_message(world.bob.id, message_id=replies[2])
    passed_on = world.say(world.charlie, None, forward_of=str(replies[1])).message
    messaging.delete_message(world.charlie.id, message_id=passed_on.id)
    messaging.delete_message(world.charlie.id, message_id=world.send_picture(world.charlie))


def message_pinned(world: World) -> None:
    messaging.pin_message(world.bob.id, message_id=world.first)
    messaging.pin_message(world.bob.id, message_id=world.answer(world.alice, "one"))


def message_unpinned(world: World) -> None:
    message_pinned(world)
    messaging.unpin_message(world.bob.id, message_id=world.first)


def reaction_added(world: World) -> None:
    world.react((world.bob, "👎"), (world.bob, "🎉"), (world.alice, "👎"), (world.charlie, "👎"))


def reaction_removed(world: World) -> None:
    reaction_added(world)
    for user, emoji in ((world.alice, "👎"), (world.bob, "🎉"), (world.bob, "👎")):
        messaging.remove_reaction(user.id, message_id=world.first, emoji=emoji)


def member_added(world: World) -> None:
    dora = User.objects.create_user("dora", "dora@example.com")
    rooms.add_members(world.bob, room_key=str(world.room.id), user_ids=[dora.id])

    public = rooms.update_room(world.bob, room_key=str(world.room.id), visibility="public", history="joined")
    emil = User.objects.create_user("emil", "emil@example.com")
    rooms.join_room(emil, room_key=str(public.id))
    fay = User.objects.create_user("fay", "fay@example.com")
    invite = rooms.create_invite(world.bob, room_key=str(public.id))
    rooms.accept_invite(fay, code=invite.code)
    # Who is muted and comes back is muted still.
    rooms.update_member(world.bob, room_key=str(public.id), user_id=fay.id, muted_until=LATER)
    rooms.leave_room(fay, room_key=str(public.id))
    rooms.join_room(fay, room_key=str(public.id))


def member_removed(world: World) -> None:
    rooms.leave_room(world.charlie, room_key=str(world.room.id))
    dora = User.objects.create_user("dora", "dora@example.com")
    rooms.add_members(world.bob, room_key=str(world.room.id), user_ids=[dora.id])
    rooms.ban_user(world.bob, room_key=str(world.room.id), user_id=dora.id)


def member_updated(world: World) -> None:
    key = str(world.room.id)
    rooms.update_member(world.bob, room_key=key, user_id=world.charlie.id, muted_until=LATER)
    rooms.update_member(world.bob, room_key=key, user_id=world.charlie.id, role="admin")
    rooms.update_member(world.bob, room_key=key, user_id=world.alice.id, muted_until=LATER)
    rooms.transfer_room(world.bob, room_key=key, user_id=world.charlie.id)


def room_updated(world: World) -> None:
    key = str(world.room.id)
    rooms.update_room(world.bob, room_key=key, name="Galley", slug="galley", state="locked")
    rooms.update_room(world.bob, room_key=key, visibility="public", history="joined", state="active")
    dora = User.objects.create_user("dora", "dora@example.com")
    rooms.join_room(dora, room_key=key)
    # Of a message that dora may not read this says nothing.
    rooms.update_room(world.bob, room_key=key, topic="Who cooks?", slug=None)
    rooms.set_avatar(world.bob, room_key=key, file=picture())
    rooms.set_avatar(world.bob, room_key=key, file=picture())
    rooms.remove_avatar(world.bob, room_key=key)
    rooms.set_avatar(world.bob, room_key=key, file=picture())


def room_preferences(world: World) -> None:
    key = str(world.room.id)
    rooms.set_preferences(world.alice, room_key=key, pinned=True, muted_until=LATER)
    rooms.set_preferences(world.alice, room_key=key, muted_until=None)
    rooms.set_preferences(world.bob, room_key=key, pinned=True)


def room_joined(world: World) -> None:
    rooms.open_direct_room(world.charlie, user_id=world.alice.id)
    rooms.create_room(world.bob, name="Garden", member_ids=[world.alice.id])
    for history in ("all", "joined"):
        room = rooms.create_room(world.bob, name="Garage", history=history)
        messaging.send_message(messaging.Draft(sender_id=world.bob.id, room=str(room.id), content="earlier"))
        rooms.add_members(world.bob, room_key=str(room.id), user_ids=[world.alice.id])


def room_left(world: World) -> None:
    world.say(world.bob, "last")
    rooms.remove_member(world.bob, room_key=str(world.room.id), user_id=world.alice.id)
    world.say(world.bob, "not for alice")


def room_deleted(world: World) -> None:
    world.say(world.bob, "last")
    rooms.delete_room(world.bob, room_key=str(world.room.id))


def friend_request(world: World) -> None:
    friendships.request_friendship(world.bob, user_id=world.alice.id, message="Hi")
    friendships.request_friendship(world.alice, user_id=world.charlie.id)


def friend_accepted(world: World) -> None:
    world.befriend()


def friend_rejected(world: World) -> None:
    request = friendships.request_friendship(world.bob, user_id=world.alice.id)
    friendships.reject_request(world.alice, request_id=request.id)
    friendships.request_friendship(world.charlie, user_id=world.alice.id)
    friendships.block_user(world.alice, user_id=world.charlie.id)


def friend_cancelled(world: World) -> None:
    request = friendships.request_friendship(world.bob, user_id=world.alice.id)
    friendships.cancel_request(world.bob, request_id=request.id)
    friendships.request_friendship(world.alice, user_id=world.charlie.id)
    friendships.block_user(world.alice, user_id=world.charlie.id)


def friend_removed(world: World) -> None:
    world.befriend()
    friendships.remove_friend(world.bob, friend_id=world.alice.id)
    world.befriend()
    friendships.block_user(world.bob, user_id=world.alice.id)


def account_updated(world: World) -> None:
    update_me(world.alice, display_name="Alice A.", bio="Hi")
    set_avatar(world.alice, file=picture())
    remove_avatar(world.alice)
    set_avatar(world.alice, file=picture())
    update_me(world.alice, settings={"last_seen": "nobody", "read_receipts": False})


SCENES: dict[str, Callable[[World], None]] = {
    scene.__name__.replace("_", "."): scene
    for scene in (
        message,
        message_updated,
        message_deleted,
        message_pinned,
        message_unpinned,
        reaction_added,
        reaction_removed,
        member_added,
        member_removed,
        member_updated,
        room_joined,
        room_updated,
        room_preferences,
        room_left,
        room_deleted,
        friend_request,
        friend_accepted,
        friend_rejected,
        friend_cancelled,
        friend_removed,
        account_updated,
    )
}


@pytest.mark.parametrize("type_", SCENES)
def test_state_before_and_events_are_state_after(
    type_: str, alice: User, bob: User, charlie: User, client_of: Callable[[User], APIClient]
) -> None:
    world, client = World(alice, bob, charlie), client_of(alice)
    types = check(client, world, SCENES[type_])
    assert type_ in types


def check(client: APIClient, world: World, scene: Callable[[World], None]) -> set[str]:
    """That state before and events are state after, for alice; the types of the events."""
    state, cursors = client_state.fetched(client)
    scene(world)
    frames = list(client_state.events_after(world.alice.id, cursors))
    for frame in frames:
        client_state.apply(state, frame)
    after, _ = client_state.fetched(client)
    for part in ("members", "messages", "pins"):
        for room_id in [id_ for id_, known in state[part].items() if known is None]:
            state[part][room_id] = after[part][room_id]
    assert state == after
    return {frame["type"] for frame in frames}


@pytest.mark.parametrize("erases_messages", [False, True])
def test_so_they_are_when_someone_is_erased(
    *, erases_messages: bool, alice: User, bob: User, charlie: User, client_of: Callable[[User], APIClient]
) -> None:
    world, client = World(alice, bob, charlie), client_of(alice)
    world.befriend()
    friendships.request_friendship(world.charlie, user_id=alice.id, message="Hi")
    world.react((bob, "👍"), (alice, "👍"))
    replies = [world.answer(sender, "one, @bob") for sender in (alice, bob, charlie)]
    world.say(alice, None, forward_of=str(replies[1]))
    world.send_picture(bob)
    direct, _ = rooms.open_direct_room(alice, user_id=bob.id)
    for sender in (bob, alice):
        messaging.send_message(messaging.Draft(sender_id=sender.id, room=str(direct.id), content="Hi"))

    def erasure(_: World) -> None:
        erase_users([bob, charlie], erases_messages=erases_messages)
        erased(bob)

    types = check(client, world, erasure)
    assert types >= {"member.removed", "member.updated", "friend.removed", "friend.cancelled"}
    assert ("message.deleted" in types) is erases_messages


@pytest.mark.parametrize("type_", SCENES)
def test_whatever_has_happened_an_erasure_leaves_no_name_in_the_log(
    type_: str, alice: User, bob: User, charlie: User
) -> None:
    """An event whose frame shows a user is about the user, or about what their erasure looks for."""
    for user in (alice, bob, charlie):
        update_me(user, display_name="Somebody", bio="Nobody knows.")
    world = World(alice, bob, charlie)
    SCENES[type_](world)
    erase_users([alice, bob, charlie], erases_messages=False)
    for user in (alice, bob, charlie):
        left = erased(user)
        assert in_the_log(user) == {left.username}
    for word in ("Somebody", "Nobody knows.", "@example.com", ':"Hi"'):
        assert not Event.objects.filter(frame__contains=word).exists(), word


@pytest.mark.parametrize("type_", [type_ for type_ in SCENES if type_ != "room.deleted"])
def test_whatever_has_happened_a_deletion_leaves_no_word_in_the_log(
    type_: str, alice: User, bob: User, charlie: User
) -> None:
    """An event whose frame shows a message says so, in `object_id` or `shows_id`."""
    world = World(alice, bob, charlie)
    SCENES[type_](world)
    messaging.delete_message(bob.id, message_id=world.first)
    assert not Event.objects.filter(frame__contains="before").exists()


def test_every_type_of_event_has_a_scene_and_every_client_a_handler() -> None:
    written = {
        type_
        for file in ROOT.glob("*/events.py")
        for type_ in re.findall(r"\"([a-z]+\.[a-z_]+|message)\"", file.read_text())
    }
    assert "member.added" in written
    assert written == set(SCENES) == set(client_state.HANDLERS)
