"""Writes: sending, reading, typing."""

from __future__ import annotations

import hashlib
import mimetypes
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import IntegrityError
from django.db.models import Case, F, Q, QuerySet, When

from core import limits
from core.errors import ChatError, FieldError, IdempotencyConflict, NotFound, RoomLocked, ValidationFailed
from core.limits import Limit
from core.transactions import transactional
from eventlog import log
from eventlog.log import LockedStreams
from messaging import events
from messaging.models import Message
from messaging.schemas import ReadMarker
from rooms.models import Membership, Room
from rooms.selectors import get_membership, memberships_for

MAX_URL_LENGTH = 2048
_CLIENT_MESSAGE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# One pattern for the whole URL: urlsplit sees a host of ours in `https://evil.example%2f.cloudinary.com`
# and in `https://evil.example[v1.cloudinary.com]`, where a client may see another one.
_FILE_URL = re.compile(
    r"(?ai:https://([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::443)?)(?:[/?#][^\s\x00-\x20\x7f-\x9f\\]*)?"
)


class Draft(msgspec.Struct, kw_only=True, frozen=True):
    """A message that someone wants to send; `room` is the room's id or slug."""

    sender_id: UUID
    room: str
    content: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    reply_to: str | None = None
    client_message_id: str | None = None


class Sent(NamedTuple):
    """A saved message. `duplicate`: it had been saved before, this send was a repeat."""

    message: Message
    duplicate: bool


def send_messages(drafts: Sequence[Draft]) -> list[Sent | ChatError]:
    """Save messages, of any senders to any rooms, in one transaction; an outcome for each, in order.

    A sender's messages keep their order. A draft with the `client_message_id` of a saved message of
    that sender is that message again (`duplicate`), or an IdempotencyConflict if its body differs.

    Errors, as outcomes: ValidationFailed, NotFound (room, reply or file), RoomLocked,
    IdempotencyConflict.

    Raises:
        Unavailable: nothing is known to be saved.

    Emits:
        message: on the room's stream, for each new message.
    """
    checked = [_checked(draft) for draft in drafts]
    good = [draft for draft in checked if isinstance(draft, Draft)]
    try:
        saved = iter(_save(good))
    except IntegrityError:
        # Another process saved one of these ids a moment ago, through another room: now it is found.
        saved = iter(_save(good))
    return [next(saved) if isinstance(draft, Draft) else draft for draft in checked]


def send_message(draft: Draft) -> Sent:
    """`send_messages` for one. Raises what that gives as an outcome."""
    (outcome,) = send_messages([draft])
    if isinstance(outcome, ChatError):
        raise outcome
    return outcome


def room_to_send(sender_id: UUID, *, count: int = 1) -> int:
    """How many of `count` messages the sender may send now; they are counted as sent."""
    limit = Limit.of_rate("message", burst=settings.MESSAGE_BURST, per_second=settings.MESSAGES_PER_SECOND)
    return limits.take(limit, str(sender_id), count=count)


@transactional
def _save(drafts: Sequence[Draft]) -> list[Sent | ChatError]:
    if not drafts:
        return []
    found = memberships_for({(draft.sender_id, draft.room) for draft in drafts})
    streams = log.lock(*{membership.room.stream for membership in found.values()})
    # Again, now that nobody else can number, leave or remove: what was read before may be old.
    memberships = memberships_for(found.keys())
    rooms = {membership.room_id: membership.room for membership in memberships.values()}
    repeats = _saved_before(drafts)
    replies = _messages_by_id(draft.reply_to for draft in drafts)

    outcomes: list[Sent | ChatError] = []
    for draft in drafts:
        membership = memberships.get((draft.sender_id, draft.room))
        if membership is None:
            outcomes.append(NotFound("No such room."))
            continue
        room = rooms[membership.room_id]
        key = (draft.sender_id, draft.client_message_id)
        if earlier := repeats.get(key):
            same = earlier.body_hash == _hash(draft, room)
            outcomes.append(Sent(earlier, duplicate=True) if same else IdempotencyConflict())
            continue
        reply_to = replies.get(draft.reply_to or "")
        if refusal := _refusal(draft, room, reply_to):
            outcomes.append(refusal)
            continue
        message = _next_message(draft, room, membership, reply_to)
        if draft.client_message_id is not None:
            repeats[key] = message
        outcomes.append(Sent(message, duplicate=False))
    _store(streams, [o.message for o in outcomes if isinstance(o, Sent) and not o.duplicate], memberships)
    return outcomes


def _saved_before(drafts: Iterable[Draft]) -> dict[tuple[UUID, str | None], Message]:
    """The messages that repeats among the drafts repeat, by sender and client_message_id."""
    ids: dict[UUID, list[str]] = {}
    for draft in drafts:
        if draft.client_message_id is not None:
            ids.setdefault(draft.sender_id, []).append(draft.client_message_id)
    if not ids:
        return {}
    wanted = [Q(sender_id=sender, client_message_id__in=mine) for sender, mine in ids.items()]
    rows = _shown().filter(Q(*wanted, _connector=Q.OR))
    return {(row.sender_id, row.client_message_id): row for row in rows}


def _messages_by_id(ids: Iterable[str | None]) -> dict[str, Message]:
    wanted = {id_ for id_ in ids if id_ is not None}
    return {str(row.id): row for row in _shown().filter(id__in=wanted)} if wanted else {}


def _shown() -> QuerySet[Message]:
    return Message.objects.select_related("room", "sender", "reply_to__sender")


def _refusal(draft: Draft, room: Room, reply_to: Message | None) -> ChatError | None:
    if room.state != Room.State.ACTIVE:
        return RoomLocked()
    if draft.reply_to is not None and (reply_to is None or reply_to.room_id != room.id):
        return NotFound("No such message to reply to in this room.")
    if draft.file_id is not None:
        return NotFound("No such file.")
    return None


def _next_message(draft: Draft, room: Room, membership: Membership, reply_to: Message | None) -> Message:
    """The draft as the room's next message; moves the room and the sender's read marker with it."""
    room.last_seq += 1
    message = Message(
        room=room,
        seq=room.last_seq,
        sender=membership.user,
        type=_type(draft.file_url),
        content=draft.content or "",
        file_url=draft.file_url,
        reply_to=reply_to,
        client_message_id=draft.client_message_id,
        body_hash=_hash(draft, room),
    )
    room.last_message_id, room.last_activity_at = message.id, message.created_at
    # Who answers has read what came before.
    membership.last_read_seq = message.seq
    return message


def _store(
    streams: LockedStreams, messages: list[Message], memberships: Mapping[tuple[UUID, str], Membership]
) -> None:
    if not messages:
        return
    for message, event in zip(messages, events.messages_sent(streams, messages), strict=True):
        message.pos = event.pos
    Message.objects.bulk_create(messages)
    Room.objects.bulk_update(
        {message.room_id: message.room for message in messages}.values(),
        ["last_seq", "last_message_id", "last_activity_at"],
    )
    senders = {(message.sender_id, message.room_id) for message in messages}
    Membership.objects.bulk_update(
        {m.pk: m for m in memberships.values() if (m.user_id, m.room_id) in senders}.values(),
        ["last_read_seq"],
    )
    if replies := Counter(message.reply_to_id for message in messages if message.reply_to_id):
        steps = [When(id=id_, then=F("reply_count") + count) for id_, count in replies.items()]
        Message.objects.filter(id__in=replies).update(reply_count=Case(*steps))


def _checked(draft: Draft) -> Draft | ValidationFailed:
    """The draft in its stored form, or what is wrong with it, all of it."""
    errors = [*_wrong_content(draft), *_wrong_url(draft.file_url), *_wrong_ids(draft)]
    if errors:
        return ValidationFailed(errors=errors)
    return msgspec.structs.replace(draft, reply_to=draft.reply_to and str(UUID(draft.reply_to)))


def _wrong_content(draft: Draft) -> Iterator[FieldError]:
    content = draft.content or ""
    if len(content) > settings.MAX_MESSAGE_LENGTH:
        yield FieldError("content", "max_length", f"At most {settings.MAX_MESSAGE_LENGTH} characters.")
    elif draft.file_url is None and draft.file_id is None and _is_blank(content):
        yield FieldError("content", "blank", "A message needs content or a file.")


def _is_blank(text: str) -> bool:
    """Whether nothing of `text` can be seen: blanks, controls and format characters only."""
    return all(character.isspace() or unicodedata.category(character) in ("Cc", "Cf") for character in text)


def _wrong_url(url: str | None) -> Iterator[FieldError]:
    """The server never fetches the URL, but clients do: only https, and only hosts that hold our files."""
    if url is None:
        return
    match = _FILE_URL.fullmatch(url)
    host = match.group(1).lower() if match else ""
    if len(url) > MAX_URL_LENGTH:
        yield FieldError("file_url", "max_length", f"At most {MAX_URL_LENGTH} characters.")
    elif not any(host == known or host.endswith(f".{known}") for known in settings.FILE_URL_HOSTS):
        yield FieldError("file_url", "invalid", "An https URL of our file store.")


def _wrong_ids(draft: Draft) -> Iterator[FieldError]:
    if draft.client_message_id is not None and not _CLIENT_MESSAGE_ID.fullmatch(draft.client_message_id):
        yield FieldError("client_message_id", "invalid", "1 to 64 characters of A-Z a-z 0-9 . _ : -")
    for name, value in (("reply_to", draft.reply_to), ("file_id", draft.file_id)):
        if value is not None and not _UUID.fullmatch(value):
            yield FieldError(name, "invalid", "A UUID.")


def _type(file_url: str | None) -> str:
    if file_url is None:
        return Message.Type.TEXT
    guessed, _ = mimetypes.guess_type(urlsplit(file_url).path)
    kind = (guessed or "").partition("/")[0]
    return kind if kind in (Message.Type.IMAGE, Message.Type.VIDEO, Message.Type.AUDIO) else Message.Type.FILE


def _hash(draft: Draft, room: Room) -> str:
    """What two sends must share to be the same message: room and body."""
    body = (str(room.id), draft.content or "", draft.file_url, draft.file_id, draft.reply_to)
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


def mark_read(user_id: UUID, room_key: str, *, seq: int) -> ReadMarker:
    """Move the user's read marker to `seq`: never back, never past the room's last message.

    Raises:
        NotFound: not a member.

    Emits:
        read (not kept): if the marker moved.
    """
    membership = get_membership(user_id, room_key)
    room = membership.room
    seq = min(seq, room.last_seq)
    moved = Membership.active.filter(pk=membership.pk, last_read_seq__lt=seq).update(last_read_seq=seq)
    if moved:
        events.room_read(room, user_id, seq)
    else:
        # Another device may have moved it since.
        membership.refresh_from_db(fields=["last_read_seq"])
        seq = membership.last_read_seq
    return ReadMarker(last_read_seq=seq, unread_count=max(0, room.last_seq - seq))


def set_typing(user_id: UUID, room_key: str, *, is_typing: bool) -> None:
    """Show the others in the room that the user types, or has stopped.

    Raises:
        NotFound: not a member.

    Emits:
        typing (not kept).
    """
    events.typing_changed(get_membership(user_id, room_key).room, user_id, is_typing=is_typing)
