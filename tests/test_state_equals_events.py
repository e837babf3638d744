"""For every type of event: the state before, and the events, give the state after.

Whoever adds an event type adds a scene here that makes it; the last test fails otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import remove_avatar, set_avatar, update_me
from friendships import services as friendships
from messaging import services as messaging
from rooms import services as rooms
from tests import client_state
from tests.files import picture
from tests.live import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


class World:
    """Alice, who watches, bob, charlie, and a room that all of them are in."""

    def __init__(self, alice: User, bob: User, charlie: User) -> None:
        self.alice, self.bob, self.charlie = alice, bob, charlie
        self.room = rooms.create_room(bob, name="Kitchen", member_ids=[alice.id, charlie.id])
        self.say(bob, "before")

    def say(self, sender: User, content: str, **fields: str) -> messaging.Sent:
        draft = messaging.Draft(sender_id=sender.id, room=str(self.room.id), content=content, **fields)
        return messaging.send_message(draft)

    def befriend(self) -> None:
        request = friendships.request_friendship(self.bob, user_id=self.alice.id)
        friendships.accept_request(self.alice, request_id=request.id)


def message(world: World) -> None:
    sent = world.say(world.bob, "one").message
    world.say(world.alice, "two", reply_to=str(sent.id))
    world.say(world.charlie, "three")
    world.say(world.bob, "", file_id=str(messaging.upload_file(world.bob, file=picture()).id))


def member_added(world: World) -> None:
    dora = User.objects.create_user("dora", "dora@example.com")
    rooms.add_members(world.bob, room_key=str(world.room.id), user_ids=[dora.id])


def member_removed(world: World) -> None:
    rooms.leave_room(world.charlie, room_key=str(world.room.id))


def room_joined(world: World) -> None:
    rooms.open_direct_room(world.charlie, user_id=world.alice.id)
    rooms.create_room(world.bob, name="Garden", member_ids=[world.alice.id])


def room_left(world: World) -> None:
    world.say(world.bob, "last")
    rooms.remove_member(world.bob, room_key=str(world.room.id), user_id=world.alice.id)
    world.say(world.bob, "not for alice")


def room_deleted(world: World) -> None:
    world.say(world.bob, "last")
    rooms.delete_room(world.bob, room_key=str(world.room.id))


def room_updated(world: World) -> None:
    key = str(world.room.id)
    rooms.set_avatar(world.bob, room_key=key, file=picture())
    rooms.set_avatar(world.bob, room_key=key, file=picture())
    rooms.remove_avatar(world.bob, room_key=key)
    rooms.set_avatar(world.bob, room_key=key, file=picture())


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


SCENES: dict[str, Callable[[World], None]] = {
    scene.__name__.replace("_", "."): scene
    for scene in (
        message,
        member_added,
        member_removed,
        room_joined,
        room_left,
        room_deleted,
        room_updated,
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
    state, cursors = client_state.fetched(client)
    SCENES[type_](world)
    frames = list(client_state.events_after(alice.id, cursors))
    assert type_ in {frame["type"] for frame in frames}
    for frame in frames:
        client_state.apply(state, frame)
    after, _ = client_state.fetched(client)
    for part in ("members", "messages"):
        for room_id in [id_ for id_, known in state[part].items() if known is None]:
            state[part][room_id] = after[part][room_id]
    assert state == after


def test_every_type_of_event_has_a_scene_and_every_client_a_handler() -> None:
    written = {
        type_
        for file in ROOT.glob("*/events.py")
        for type_ in re.findall(r"\"([a-z]+\.[a-z_]+|message)\"", file.read_text())
    }
    assert "member.added" in written
    assert written == set(SCENES) == set(client_state.HANDLERS)
