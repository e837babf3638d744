"""A client's state, kept by events alone: what every client of ours does, in its plainest form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from rest_framework.test import APIClient

from eventlog.log import EVERYONE
from eventlog.models import Event

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
                member["user"]["id"]: member["role"]
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
    frame: dict[str, Any] = json.loads(event.frame)
    return frame


def apply(state: State, frame: dict[str, Any]) -> None:
    """Change `state` as the event says. Raises KeyError for a type that is not handled here."""
    HANDLERS[frame["type"]](state, frame["data"])


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


def _member_added(state: State, data: dict[str, Any]) -> None:
    state["members"][data["room_id"]][data["user"]["id"]] = data["role"]
    state["rooms"][data["room_id"]]["member_count"] += 1


def _member_removed(state: State, data: dict[str, Any]) -> None:
    del state["members"][data["room_id"]][data["user"]["id"]]
    state["rooms"][data["room_id"]]["member_count"] -= 1


def _room_joined(state: State, data: dict[str, Any]) -> None:
    # What a client doesn't get by events, the past, it reads when it opens the room.
    room = {key: value for key, value in data["room"].items() if key not in UNTOLD}
    state["rooms"][room["id"]] = room
    state["members"][room["id"]] = None
    state["messages"][room["id"]] = None


def _room_updated(state: State, data: dict[str, Any]) -> None:
    state["rooms"][data["id"]] |= {key: value for key, value in data.items() if key not in UNTOLD}


def _room_gone(state: State, data: dict[str, Any]) -> None:
    # Of a deleted room two streams tell, either of them first.
    for part in ("rooms", "members", "messages"):
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


HANDLERS = {
    "message": _message,
    "member.added": _member_added,
    "member.removed": _member_removed,
    "room.joined": _room_joined,
    "room.updated": _room_updated,
    "room.left": _room_gone,
    "room.deleted": _room_gone,
    "friend.request": _friend_request,
    "friend.accepted": _friend_accepted,
    "friend.rejected": _request_closed,
    "friend.cancelled": _request_closed,
    "friend.removed": _friend_removed,
    "account.updated": _account_updated,
}
