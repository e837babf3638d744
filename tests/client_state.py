"""A client's state, kept by events alone: what every client of ours does, in its plainest form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from rest_framework.test import APIClient

from eventlog.log import EVERYONE
from eventlog.models import Event
from tests.documented import documented

# The moment of a row's last change is bookkeeping: no event tells it.
UNTOLD = ("updated_at",)

State = dict[str, Any]


def fetched(client: APIClient) -> tuple[State, dict[str, int]]:
    """All that REST shows of a user's world, and the cursors from which its events follow."""
    snapshot = client.get("/api/v1/sync").json()
    rooms = {room["id"]: room for room in snapshot["rooms"]}
    requests = [
        request
        for direction in ("incoming", "outgoing")
        for request in client.get("/api/v1/friends/requests", {"direction": direction}).json()["results"]
    ]
    state = {
        "me": snapshot["user"],
        "rooms": {id_: {k: v for k, v in room.items() if k not in UNTOLD} for id_, room in rooms.items()},
        "members": {
            id_: {
                member["user"]["id"]: {key: member[key] for key in ("role", "muted_until")}
                for member in client.get(f"/api/v1/rooms/{id_}/members").json()["results"]
            }
            for id_ in rooms
        },
        "messages": {
            id_: {
                message["seq"]: message
                for message in client.get(f"/api/v1/rooms/{id_}/messages").json()["results"]
            }
            for id_ in rooms
        },
        "pins": {
            id_: [message["id"] for message in client.get(f"/api/v1/rooms/{id_}/pins").json()["results"]]
            for id_ in rooms
        },
        "friends": {row["user"]["id"] for row in client.get("/api/v1/friends").json()["results"]},
        "requests": {request["id"]: request for request in requests},
    }
    return state, snapshot["streams"]


def events_after(user_id: UUID, cursors: dict[str, int]) -> Iterator[dict[str, Any]]:
    """The frames that a client with these cursors gets, in the order of their commits."""
    cursors = dict(cursors)
    for event in Event.objects.select_related("stream").order_by("created_at", "stream_id", "pos"):
        name = event.stream.name
        if name in cursors and event.pos == cursors[name] + 1:
            cursors[name] = event.pos
            yield decoded(event)
            if event.ends_for in (str(user_id), EVERYONE):
                del cursors[name]
            if event.opens:
                cursors[event.opens] = event.opens_after or 0


def decoded(event: Event) -> dict[str, Any]:
    return documented(json.loads(event.frame))


def apply(state: State, frame: dict[str, Any]) -> None:
    """Change `state` as the event says. Raises KeyError for a type that is not handled here."""
    HANDLERS[frame["type"]](state, frame["data"])
    if frame["type"] in TELLS_OF_A_USER:
        _show_user(state, frame["data"]["user"])


def _message(state: State, data: dict[str, Any]) -> None:
    message = {key: value for key, value in data.items() if key != "room_slug"}
    room, messages = state["rooms"][data["room_id"]], state["messages"][data["room_id"]]
    if data["reply_to"]:
        messages[data["reply_to"]["seq"]]["reply_count"] += 1
    messages[data["seq"]] = message
    room["last_seq"], room["last_message"] = data["seq"], message
    if data["sender"]["id"] == state["me"]["id"]:
        room["my"]["last_read_seq"] = data["seq"]
    room["my"]["unread_count"] = room["last_seq"] - room["my"]["last_read_seq"]


def _shown(state: State, room_id: str, seq: int) -> Iterator[dict[str, Any]]:
    """A message, in each place where a client shows it."""
    last = state["rooms"][room_id]["last_message"]
    yield state["messages"][room_id][seq]
    if last["seq"] == seq:
        yield last


def _quoting(state: State, room_id: str, id_: str) -> Iterator[dict[str, Any]]:
    """What is shown of a message above each of those that answer it, in each place."""
    last = state["rooms"][room_id]["last_message"]
    for message in (*state["messages"][room_id].values(), last):
        if message["reply_to"] and message["reply_to"]["id"] == id_:
            yield message["reply_to"]


def _message_updated(state: State, data: dict[str, Any]) -> None:
    for message in _shown(state, data["room_id"], data["seq"]):
        message.update({key: data[key] for key in ("content", "mentions", "edited_at")})
    for quoted in _quoting(state, data["room_id"], data["id"]):
        quoted["excerpt"] = data["content"][:120]


def _message_deleted(state: State, data: dict[str, Any]) -> None:
    room_id = data["room_id"]
    nothing = {
        "content": "",
        "file_url": None,
        "file": None,
        "forwarded": None,
        "mentions": [],
        "reactions": [],
        "pinned_at": None,
    }
    for message in _shown(state, room_id, data["seq"]):
        message.update(nothing, **{key: data[key] for key in ("deleted_at", "deleted_by")})
    for quoted in _quoting(state, room_id, data["id"]):
        quoted["excerpt"] = ""
    if answered := state["messages"][room_id][data["seq"]]["reply_to"]:
        state["messages"][room_id][answered["seq"]]["reply_count"] -= 1
    state["pins"][room_id] = [id_ for id_ in state["pins"][room_id] if id_ != data["id"]]


def _reaction_changed(state: State, data: dict[str, Any], *, added: bool) -> None:
    for message in _shown(state, data["room_id"], data["seq"]):
        reactions = {reaction["emoji"]: reaction for reaction in message["reactions"]}
        reaction = reactions.setdefault(data["emoji"], {"emoji": data["emoji"], "me": False})
        reaction["count"] = data["count"]
        if data["user_id"] == state["me"]["id"]:
            reaction["me"] = added
        message["reactions"] = [reactions[emoji] for emoji in sorted(reactions) if reactions[emoji]["count"]]


def _reaction_added(state: State, data: dict[str, Any]) -> None:
    _reaction_changed(state, data, added=True)


def _reaction_removed(state: State, data: dict[str, Any]) -> None:
    _reaction_changed(state, data, added=False)


def _message_pinned(state: State, data: dict[str, Any]) -> None:
    for message in _shown(state, data["room_id"], data["seq"]):
        message["pinned_at"] = data["pinned_at"]
    state["pins"][data["room_id"]].insert(0, data["message_id"])


def _message_unpinned(state: State, data: dict[str, Any]) -> None:
    for message in _shown(state, data["room_id"], data["seq"]):
        message["pinned_at"] = None
    state["pins"][data["room_id"]].remove(data["message_id"])


def _member_added(state: State, data: dict[str, Any]) -> None:
    _member_updated(state, data)
    state["rooms"][data["room_id"]]["member_count"] += 1


def _member_updated(state: State, data: dict[str, Any]) -> None:
    user_id, room = data["user"]["id"], state["rooms"][data["room_id"]]
    state["members"][room["id"]][user_id] = {key: data[key] for key in ("role", "muted_until")}
    if user_id == state["me"]["id"]:
        room["my"] |= {"role": data["role"], "silenced_until": data["muted_until"]}


def _member_removed(state: State, data: dict[str, Any]) -> None:
    del state["members"][data["room_id"]][data["user"]["id"]]
    state["rooms"][data["room_id"]]["member_count"] -= 1


def _room_joined(state: State, data: dict[str, Any]) -> None:
    # What a client doesn't get by events, the past, it reads when it opens the room.
    room = {key: value for key, value in data["room"].items() if key not in UNTOLD}
    state["rooms"][room["id"]] = room
    state["members"][room["id"]] = None
    state["messages"][room["id"]] = None
    state["pins"][room["id"]] = None


def _room_updated(state: State, data: dict[str, Any]) -> None:
    # Without a last message where not everyone may read it: mine came with its own event.
    untold = (*UNTOLD, "last_message") if data["last_message"] is None else UNTOLD
    state["rooms"][data["id"]] |= {key: value for key, value in data.items() if key not in untold}


def _room_preferences(state: State, data: dict[str, Any]) -> None:
    mine = state["rooms"][data["room_id"]]["my"]
    mine |= {key: data[key] for key in ("muted_until", "pinned")}


def _room_gone(state: State, data: dict[str, Any]) -> None:
    # Of a deleted room two streams tell, either of them first.
    for part in ("rooms", "members", "messages", "pins"):
        state[part].pop(data["room_id"], None)


def _friend_request(state: State, data: dict[str, Any]) -> None:
    state["requests"][data["id"]] = data


def _friend_accepted(state: State, data: dict[str, Any]) -> None:
    state["requests"].pop(data["id"], None)
    state["friends"] |= {data["from"]["id"], data["to"]["id"]} - {state["me"]["id"]}


def _request_closed(state: State, data: dict[str, Any]) -> None:
    del state["requests"][data["id"]]


def _friend_removed(state: State, data: dict[str, Any]) -> None:
    state["friends"].remove(data["user"]["id"])


def _account_updated(state: State, data: dict[str, Any]) -> None:
    state["me"] = data


def _show_user(shown: Any, card: dict[str, Any]) -> None:
    """The newest card of a user is the one to show, wherever they are shown."""
    if isinstance(shown, dict) and shown.get("id") == card["id"]:
        shown.update(card)
    for item in shown.values() if isinstance(shown, dict) else shown if isinstance(shown, list) else ():
        _show_user(item, card)


TELLS_OF_A_USER = ("member.added", "member.updated", "member.removed", "friend.removed")

HANDLERS = {
    "message": _message,
    "message.updated": _message_updated,
    "message.deleted": _message_deleted,
    "message.pinned": _message_pinned,
    "message.unpinned": _message_unpinned,
    "reaction.added": _reaction_added,
    "reaction.removed": _reaction_removed,
    "member.added": _member_added,
    "member.removed": _member_removed,
    "member.updated": _member_updated,
    "room.joined": _room_joined,
    "room.updated": _room_updated,
    "room.preferences": _room_preferences,
    "room.left": _room_gone,
    "room.deleted": _room_gone,
    "friend.request": _friend_request,
    "friend.accepted": _friend_accepted,
    "friend.rejected": _request_closed,
    "friend.cancelled": _request_closed,
    "friend.removed": _friend_removed,
    "account.updated": _account_updated,
}
