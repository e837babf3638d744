"""Sending: numbered, saved and announced in one transaction, once however often it is repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Case, F, When

from accounts.models import User
from core import limits, rows
from core.errors import ChatError, Conflict, IdempotencyConflict, NotFound
from core.group_commit import GroupCommit
from core.transactions import Contended, transactional
from eventlog import log
from eventlog.log import LockedStreams, room_stream
from friendships.selectors import blocked_pairs
from messaging import events
from messaging.models import File, Message
from messaging.schemas import file_url
from messaging.selectors import readable_messages
from messaging.services.access import refusal_to_write
from messaging.services.drafts import Draft, body_hash, checked, type_of
from messaging.services.mentions import find_mentions
from rooms.models import Membership, Room
from rooms.selectors import memberships_for

_MOST_MEMBERS = 100_000
_members: set[tuple[UUID, str]] = set()
"""Who could send where, by the room's id, the last time they did: whose rooms are locked without asking first."""


class Sent(NamedTuple):
    """A saved message. `duplicate`: it had been saved before, this send was a repeat."""

    message: Message
    duplicate: bool


class _Named(NamedTuple):
    """What a draft names: what it answers, what it passes on, and its file or the file of that."""

    reply_to: Message | None
    original: Message | None
    file: File | None

    @property
    def is_gone(self) -> bool:
        """Whether there is nothing to pass on, or its file is given up."""
        return self.original is None or (self.original.file_id is not None and self.file is None)


def send_messages(drafts: Sequence[Draft], *, wait: bool = True) -> list[Sent | ChatError]:
    """Save messages, of any senders to any rooms, in one transaction; an outcome for each, in order.

    A sender's messages keep their order. A draft with the `client_message_id` of a saved message of
    that sender is that message again (`duplicate`), or an IdempotencyConflict if its body differs.

    Errors, as outcomes: ValidationFailed, NotFound (room, reply, file, or what is forwarded), RoomLocked, Muted,
    Blocked (a direct room), Conflict (a file that was sent before), IdempotencyConflict; without `wait`
    Contended, for a room that someone else is writing to.

    Raises:
        Contended: someone else did not stop writing to one of the rooms; nothing is saved.
        Unavailable: nothing is known to be saved.

    Emits:
        message: on the room's stream, for each new message.
    """
    looked_at = [checked(draft) for draft in drafts]
    good = [draft for draft in looked_at if isinstance(draft, Draft)]
    try:
        saved = iter(_save(good, wait=wait))
    except IntegrityError:
        # Another process saved one of these ids a moment ago, through another room: now it is found.
        saved = iter(_save(good, wait=wait))
    return [next(saved) if isinstance(draft, Draft) else draft for draft in looked_at]


_send = GroupCommit(partial(send_messages, wait=False))


def send_message(draft: Draft) -> Sent:
    """`send_messages` for one, together with what other threads send meanwhile. Raises what that gives as an outcome."""
    outcome = _send(draft)
    if isinstance(outcome, Contended):
        # By itself, so that nobody else waits for that lock.
        (outcome,) = send_messages([draft])
    if isinstance(outcome, ChatError):
        raise outcome
    return outcome


def room_to_send_each(counts: Mapping[UUID, int]) -> dict[UUID, int]:
    """How many of so many messages each sender may send now; they are counted as sent, those over REST among them."""
    counted = {str(sender_id): count for sender_id, count in counts.items()}
    taken = limits.take_each(limits.of_requests("message"), counted)
    return {sender_id: taken[str(sender_id)] for sender_id in counts}


@transactional
def _save(drafts: Sequence[Draft], *, wait: bool) -> list[Sent | ChatError]:
    if not drafts:
        return []
    pairs = {(draft.sender_id, draft.room) for draft in drafts}
    likely = _likely_members(pairs)
    streams = log.lock(*likely.values(), wait=wait)
    # Now that nobody else can number, leave or remove: what was read before may be old.
    memberships = memberships_for(likely.keys())
    _members.difference_update(likely.keys() - memberships.keys())
    rooms = {membership.room_id: membership.room for membership in memberships.values()}
    repeats = _saved_before(drafts)
    replies = _messages_by_id(draft.reply_to for draft in drafts)
    originals = _originals(drafts, memberships)
    files = _lock_files(drafts, originals.values())
    blocked = blocked_pairs(room.direct_key for room in rooms.values() if room.direct_key)

    outcomes: list[Sent | ChatError] = []
    for draft in drafts:
        membership = memberships.get((draft.sender_id, draft.room))
        if membership is None:
            outcomes.append(NotFound("No such room."))
            continue
        room = rooms[membership.room_id]
        key = (draft.sender_id, draft.client_message_id)
        if earlier := repeats.get(key):
            same = earlier.body_hash == body_hash(draft, room.id)
            outcomes.append(Sent(earlier, duplicate=True) if same else IdempotencyConflict())
            continue
        if room.stream not in streams:
            outcomes.append(Contended())
            continue
        reply_to = replies.get(draft.reply_to or "")
        original = originals.get((draft.sender_id, draft.forward_of))
        file = files.get(draft.file_id or str(original and original.file_id))
        named = _Named(reply_to, original, file)
        if refusal := _refusal(draft, membership, named, is_blocked=room.direct_key in blocked):
            outcomes.append(refusal)
            continue
        message = _next_message(draft, room, membership, named)
        if draft.client_message_id is not None:
            repeats[key] = message
        outcomes.append(Sent(message, duplicate=False))
    _store(streams, [o.message for o in outcomes if isinstance(o, Sent) and not o.duplicate], memberships)
    return outcomes


def _likely_members(pairs: AbstractSet[tuple[UUID, str]]) -> dict[tuple[UUID, str], str]:
    """Those of the (sender, room) that are members, as far as is known without a lock, with the room's stream.

    Nobody locks rooms of others; a member who has just left locks in vain.
    """
    new = {pair for pair in pairs if pair not in _members}
    found = memberships_for(new)
    if len(_members) > _MOST_MEMBERS:
        _members.clear()
    # Not by its slug: that may come to be another room's.
    _members.update(pair for pair, membership in found.items() if pair[1] == str(membership.room_id))
    known = {pair: room_stream(UUID(pair[1])) for pair in pairs - new}
    return known | {pair: membership.room.stream for pair, membership in found.items()}


def _saved_before(drafts: Iterable[Draft]) -> dict[tuple[UUID, str | None], Message]:
    """The messages that repeats among the drafts repeat, by sender and client_message_id."""
    keys = {
        (draft.sender_id, draft.client_message_id) for draft in drafts if draft.client_message_id is not None
    }
    if not keys:
        return {}
    # Most are no repeats: what a repeat needs is read when there is one.
    found = rows.among(Message.objects.all(), ("sender", "client_message_id"), keys).values_list(
        "id", flat=True
    )
    return {(row.sender_id, row.client_message_id): row for row in _messages_by_id(found).values()}


def _messages_by_id(ids: Iterable[UUID | str | None]) -> dict[str, Message]:
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    shown = Message.objects.select_related("room", "sender", "reply_to__sender", "file")
    return {str(row.id): row for row in shown.filter(id__in=wanted)}


def _originals(
    drafts: Iterable[Draft], memberships: Mapping[tuple[UUID, str], Membership]
) -> dict[tuple[UUID, str | None], Message]:
    """What is forwarded among the drafts, by who forwards it and its id: of what they may read, what people said.

    Its `forwarded_sender` is who said it first, of what was not forwarded before, too.
    """
    wanted: dict[User, set[str]] = {}
    for draft in drafts:
        if draft.forward_of is not None and (membership := memberships.get((draft.sender_id, draft.room))):
            wanted.setdefault(membership.user, set()).add(draft.forward_of)
    found: dict[tuple[UUID, str | None], Message] = {}
    for user, ids in wanted.items():
        shown = readable_messages(user).filter(deleted_at=None).exclude(type=Message.Type.SYSTEM)
        for row in shown.filter(id__in=ids):
            found[user.id, str(row.id)] = row
    # Locked, since they need not be in any of these rooms: who is erased now is so in what is sent, or finds it.
    ids_of_senders = {row.forwarded_sender_id or row.sender_id for row in found.values()}
    senders = User.objects.select_for_update().order_by("id").in_bulk(ids_of_senders) if found else {}
    for row in found.values():
        row.forwarded_sender = senders[row.forwarded_sender_id or row.sender_id]
    return found


def _lock_files(drafts: Iterable[Draft], originals: Iterable[Message]) -> dict[str, File]:
    """The files that are to be sent, which only one message can, or to be passed on: none is given up meanwhile."""
    ids = {draft.file_id for draft in drafts} | {original.file_id for original in originals}
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    whole = File.objects.filter(id__in=wanted, completed_at__isnull=False)
    return {str(row.id): row for row in whole.select_for_update().order_by("id")}


def _refusal(draft: Draft, membership: Membership, named: _Named, *, is_blocked: bool) -> ChatError | None:
    if refusal := refusal_to_write(membership, is_blocked=is_blocked):
        return refusal
    if draft.reply_to is not None and not _is_readable(named.reply_to, membership):
        return NotFound("No such message to reply to in this room.")
    if draft.forward_of is not None and named.is_gone:
        return NotFound("No such message to forward.")
    if draft.file_id is not None:
        if named.file is None or named.file.uploader_id != draft.sender_id:
            return NotFound("No such file of yours.")
        if named.file.unsent_since is None:
            return Conflict("This file has been sent; upload it again.")
    return None


def _is_readable(message: Message | None, membership: Membership) -> bool:
    return (
        message is not None and message.room_id == membership.room_id and message.seq > membership.reads_after
    )


def _next_message(draft: Draft, room: Room, membership: Membership, named: _Named) -> Message:
    """The draft as the room's next message; moves the room and the sender's read marker with it."""
    room.last_seq += 1
    file = named.file
    message = Message(
        room=room,
        seq=room.last_seq,
        sender=membership.user,
        type=type_of(draft, file),
        content=draft.content or "",
        file_url=draft.file_url,
        client_message_id=draft.client_message_id,
        body_hash=body_hash(draft, room.id),
    )
    # Few messages have these, and Django takes its time with them.
    if file is not None:
        file.unsent_since = None
        message.file, message.file_url = file, file_url(file.id)
    if named.reply_to is not None:
        message.reply_to = named.reply_to
    room.last_message_id, room.last_activity_at = message.id, message.created_at
    if named.original is not None:
        _pass_on(named.original, message)
    # Who answers has read what came before.
    membership.last_read_seq = message.seq
    return message


def _pass_on(original: Message, message: Message) -> None:
    """What was said in the original is said in the message again; from hand to hand it stays its first sender's."""
    message.type, message.content, message.file_url = original.type, original.content, original.file_url
    message.forwarded_sender = original.forwarded_sender
    message.forwarded_at = original.forwarded_at or original.created_at


def _store(
    streams: LockedStreams, messages: list[Message], memberships: Mapping[tuple[UUID, str], Membership]
) -> None:
    if not messages:
        return
    mentions = find_mentions(messages)
    for message, event in zip(messages, events.messages_sent(streams, messages), strict=True):
        message.pos = event.pos
    rows.insert(messages)
    rows.insert(mentions)
    rooms = {message.room_id: message.room for message in messages}
    rows.update(rooms.values(), "last_seq", "last_message_id", "last_activity_at")
    senders = {(message.sender_id, message.room_id) for message in messages}
    senders_memberships = {m.pk: m for m in memberships.values() if (m.user_id, m.room_id) in senders}
    rows.update(senders_memberships.values(), "last_read_seq")
    files = {message.file.id: message.file for message in messages if message.file}
    rows.update(files.values(), "unsent_since")
    if replies := Counter(message.reply_to_id for message in messages if message.reply_to_id):
        steps = [When(id=id_, then=F("reply_count") + count) for id_, count in replies.items()]
        Message.objects.filter(id__in=replies).update(reply_count=Case(*steps))
