"""Judges a run: each function is an invariant, and gives a sentence for each breach."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from chaos.client import Client
from chaos.history import History, Send

Rooms = dict[str, list[dict[str, Any]]]
"""Each room's whole history as REST shows it, oldest first."""


def nothing_is_lost(history: History, rooms: Rooms) -> Iterator[str]:
    """Every acknowledged message is in its room once, with the seq and the content of its ack."""
    saved = {m["client_message_id"]: m for messages in rooms.values() for m in messages}
    for send in history.sends.values():
        if send.acked is None:
            continue
        message = saved.get(send.client_message_id)
        if message is None:
            yield f"{send.client_message_id} was acknowledged and is not there"
        elif (message["seq"], message["content"]) != (send.seq, send.content):
            yield f"{send.client_message_id} was acknowledged as {send.seq} and is {message['seq']}"


def nothing_is_made_up(history: History, rooms: Rooms) -> Iterator[str]:
    """Every saved message was sent, by this sender to this room."""
    for room, messages in rooms.items():
        for message in messages:
            send = history.sends.get(message["client_message_id"])
            if send is None or (send.room, send.sender) != (room, message["sender"]["id"]):
                yield f"{message['client_message_id']} in {room} was never sent there"


def nothing_is_doubled(history: History, rooms: Rooms) -> Iterator[str]:
    ids = Counter(m["client_message_id"] for messages in rooms.values() for m in messages)
    yield from (f"{id_} is there {count} times" for id_, count in ids.items() if count > 1)


def numbers_have_no_holes(history: History, rooms: Rooms) -> Iterator[str]:
    """`seq` is 1, 2, 3, … in every room."""
    for room, messages in rooms.items():
        if [m["seq"] for m in messages] != list(range(1, len(messages) + 1)):
            yield f"the seqs of {room} are not 1 to {len(messages)}"


def live_is_history(history: History, rooms: Rooms) -> Iterator[str]:
    """What each client got live or by replay is what history shows: all of it, in order, each once."""
    for (name, room), frames in history.received.items():
        got = [(f["data"]["seq"], f["data"]["id"], f["data"]["content"]) for f in frames]
        there = [(m["seq"], m["id"], m["content"]) for m in rooms[room]]
        if got != there:
            yield f"{name} got {len(got)} messages of {room}, history has {len(there)}, or others"


def every_step_is_one(history: History, rooms: Rooms) -> Iterator[str]:
    """Per connection and stream strictly +1 from the cursor; the clients watch that themselves."""
    yield from history.violations


def acked_before_sent_is_smaller(history: History, rooms: Rooms) -> Iterator[str]:
    """A message that was acknowledged before another of the room was first sent has the smaller seq."""
    by_room: dict[str, list[Send]] = {}
    for send in history.sends.values():
        if send.acked is not None:
            by_room.setdefault(send.room, []).append(send)
    for sends in by_room.values():
        acks = sorted(sends, key=lambda send: send.acked or 0)
        highest, done = 0, 0
        for send in sorted(sends, key=lambda send: send.began):
            while done < len(acks) and (acks[done].acked or 0) < send.began:
                highest = max(highest, acks[done].seq or 0)
                done += 1
            if (send.seq or 0) < highest:
                yield f"{send.client_message_id} has seq {send.seq}, below an earlier acknowledged {highest}"


def a_senders_order_is_kept(history: History, rooms: Rooms) -> Iterator[str]:
    """Clients send one at a time, so each sender's numbers rise in each room."""
    last: dict[tuple[str, str], int] = {}
    for room, messages in rooms.items():
        for message in messages:
            number = int(message["client_message_id"].rpartition("-")[2])
            key = (room, message["sender"]["id"])
            if number <= last.get(key, 0):
                yield f"{message['client_message_id']} stands behind number {last[key]} of its sender"
            last[key] = number


INVARIANTS = (
    nothing_is_lost,
    nothing_is_made_up,
    nothing_is_doubled,
    numbers_have_no_holes,
    live_is_history,
    every_step_is_one,
    acked_before_sent_is_smaller,
    a_senders_order_is_kept,
)


def breaches(history: History, rooms: Rooms) -> dict[str, list[str]]:
    """The broken invariants, each with its sentences."""
    found = {invariant.__name__: list(invariant(history, rooms)) for invariant in INVARIANTS}
    return {name: sentences for name, sentences in found.items() if sentences}


def everyone_is_complete(clients: list[Client], heads: dict[str, int]) -> bool:
    """Whether every client has every event of its rooms."""
    return all(client.cursors[f"room:{room}"] == heads[room] for client in clients for room in client.rooms)


def odd_log_lines(logs: str) -> list[str]:
    """Tracebacks and errors: no fault may cause one."""
    return re.findall(r"Traceback \(most recent call last\)[\s\S]{0,1500}", logs)
