"""Judges a run: each function is an invariant, and gives a sentence for each breach.

Some the clients watch themselves, as it happens (`History.breach`): `every_step_is_one`,
`nothing_after_a_removal`, `nothing_is_doubled`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import Any

from chaos.audit import Rooms
from chaos.history import History, Send

PULLED = "link pulled"
"""The fault behind which nothing arrives."""

CAUGHT_UP_SECONDS = 10
LIVE_AGAIN_SECONDS = 5
PENDING_SECONDS = 15
GROWTH = 1.1
"""What the promise allows: after a fault, after a killed process, for one request; of what was held before."""


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
    """Every saved message was sent, by this sender to this room, and not refused."""
    for room, messages in rooms.items():
        for message in messages:
            send = history.sends.get(message["client_message_id"])
            if send is None or (send.room, send.sender) != (room, message["sender"]["id"]):
                yield f"{message['client_message_id']} in {room} was never sent there"
            elif send.refused and send.attempts == 1:
                yield f"{message['client_message_id']} in {room} was refused"


def nothing_is_doubled(history: History, rooms: Rooms) -> Iterator[str]:
    ids = Counter(m["client_message_id"] for messages in rooms.values() for m in messages)
    yield from (f"{id_} is there {count} times" for id_, count in ids.items() if count > 1)


def numbers_have_no_holes(history: History, rooms: Rooms) -> Iterator[str]:
    """`seq` is 1, 2, 3, … in every room."""
    for room, messages in rooms.items():
        if [m["seq"] for m in messages] != list(range(1, len(messages) + 1)):
            yield f"the seqs of {room} are not 1 to {len(messages)}"


def live_is_history(history: History, rooms: Rooms) -> Iterator[str]:
    """What a client got live or by replay is what history shows: in each of its memberships all of it, in order."""
    for (name, room), windows in history.windows.items():
        there = [(m["seq"], m["id"], m["content"]) for m in rooms[room]]
        for window in windows:
            got = [(f["data"]["seq"], f["data"]["id"], f["data"]["content"]) for f in window.frames]
            start = bisect_left(there, got[0]) if got else 0
            if got != there[start : start + len(got)]:
                yield f"{name} got {len(got)} messages of {room} from {start + 1} on, history has others there"
            elif got and window.after == 0 and start > 0:
                yield f"{name} missed the beginning of {room}"
            elif window.is_open and window.after == 0 and len(got) != len(there):
                yield f"{name} got {len(got)} messages of {room}, history has {len(there)}"
            elif window.is_open and got and got[-1] != there[-1]:
                yield f"{name} missed the end of {room}"


def nothing_after_a_removal(history: History, rooms: Rooms) -> Iterator[str]:
    """Who was removed at a position got nothing beyond it, until taken in again."""
    users = {send.client_message_id.rpartition("-")[0]: send.sender for send in history.sends.values()}
    for (name, room), windows in history.windows.items():
        cuts = [pos for user, where, pos in history.removals if (user, where) == (users.get(name), room)]
        for window in windows:
            end = min((cut for cut in cuts if cut > window.after), default=None)
            late = [frame["pos"] for frame in window.frames if end is not None and frame["pos"] > end]
            if late:
                yield f"{name} was removed from {room} at {end} and got {late[0]}"


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


def caught_up_in_time(history: History, rooms: Rooms) -> Iterator[str]:
    """After each fault's end every client has all there was by then within 10 s."""
    for trouble in history.troubles:
        if trouble.caught_up is None:
            yield f"after {trouble.name!r} not everyone caught up"
        elif trouble.caught_up > CAUGHT_UP_SECONDS:
            yield f"after {trouble.name!r} the last one caught up in {trouble.caught_up:.1f} s"


def live_again_in_time(history: History, rooms: Rooms) -> Iterator[str]:
    """The sockets of a killed process are ready at some process within 5 s, in a crowd within 20 s."""
    for name, seconds, within in back_after_kills(history):
        if seconds is None or seconds > within:
            yield f"{name} was {'never' if seconds is None else f'after {seconds:.1f} s'} live again"


def back_after_kills(history: History) -> Iterator[tuple[str, float | None, float]]:
    """For each client that was on a killed process: seconds until it was ready again (None: never), and allowed."""
    for web, killed, others_up, within in history.kills:
        for lost in history.sessions:
            # The harness may see the end of a process that died by itself a moment after its clients.
            if (
                lost.web == web
                and lost.ready < killed
                and (lost.gone is None or killed - 0.1 < lost.gone < killed + 1)
            ):
                later = [
                    s.ready for s in history.sessions if s.client == lost.client and s.ready > lost.ready
                ]
                yield lost.client, min(later) - others_up if later else None, within


def nothing_hangs(history: History, rooms: Rooms) -> Iterator[str]:
    """No request is under way for more than 15 s, but for those that never reached a server."""
    pulled = [trouble for trouble in history.troubles if trouble.name == PULLED]
    for what, began, ended in history.operations:
        lost = any(began < cable.healed and ended > cable.began for cable in pulled)
        if ended - began > PENDING_SECONDS and not lost:
            yield f"{what} took {ended - began:.1f} s"


INVARIANTS = (
    nothing_is_lost,
    nothing_is_made_up,
    nothing_is_doubled,
    numbers_have_no_holes,
    live_is_history,
    nothing_after_a_removal,
    acked_before_sent_is_smaller,
    a_senders_order_is_kept,
    caught_up_in_time,
    live_again_in_time,
    nothing_hangs,
)


def breaches(history: History, rooms: Rooms) -> dict[str, list[str]]:
    """The broken invariants, each with its sentences, those that clients saw included."""
    found = {name: list(sentences) for name, sentences in history.breaches.items()}
    for invariant in INVARIANTS:
        found.setdefault(invariant.__name__, []).extend(invariant(history, rooms))
    return {name: sentences for name, sentences in found.items() if sentences}


def grown(before: dict[str, int], after: dict[str, int]) -> list[str]:
    """What is more than a tenth above what was held before."""
    return [
        f"{what}: {before[what]} before, {held} after"
        for what, held in after.items()
        if held > before[what] * GROWTH
    ]


def odd_log_lines(logs: str) -> list[str]:
    """Tracebacks: no fault may cause one."""
    return re.findall(r"Traceback \(most recent call last\)[\s\S]*?\n(?=\S*\d{4}-|\Z|Traceback)", logs)


def as_messages(frames: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What history and replay must agree on."""
    return [(m["seq"], m["id"], m["sender"]["id"], m["content"], m["client_message_id"]) for m in frames]
