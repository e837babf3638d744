"""What an erased user leaves behind in messages: their names go, and all that they said, if they want."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from core.ids import first_id_at
from core.rows import pages
from core.transactions import transactional
from eventlog import log
from eventlog.log import room_stream
from messaging import events
from messaging.models import File, Message, Reaction
from messaging.services.collecting import collect_file
from messaging.services.editing import bury_message
from messaging.services.reactions import take_back

STEP = 25
"""Messages of one room in one transaction, which keeps others from writing there: 5 ms each."""

PAGE = 2_000
"""Messages of one user's whose ids are read at once. No index has them in order: each page looks at all of them."""

WINDOW = 40_000
"""Messages of everyone's that are looked through in one statement: 0.7 µs each."""

_CLOCKS = 60
"""So many seconds an id and the time of its row may be apart."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def erase_messages(user: User, *, erases_messages: bool) -> None:
    """Take an erased user's names off what they said, or with `erases_messages` all that they said; a repeat goes on.

    They are in no group any more, and can't write. What others have forwarded is the others'; only the name goes.

    Emits:
        message.deleted, reaction.removed: with `erases_messages`, on the rooms' streams.
    """
    mine = Message.objects.filter(sender=user)
    if erases_messages:
        for room_id, ids in _by_room(mine.filter(deleted_at=None)):
            _bury(room_id, ids)
        for page in pages(Reaction.objects.filter(user=user).select_related("message__room")):
            for reaction in page:
                _take_back(reaction)
    for room_id, ids in _by_room(mine):
        _erase_sender(user, room_id, ids)
        # Only after that: whoever was answering when the user was erased has the room's lock no more.
        for _, replies in _by_room(Message.objects.filter(reply_to__in=ids)):
            _erase_sender(user, room_id, replies)
    for room_id, ids in _forwarded(user):
        _erase_sender(user, room_id, ids)
    _give_up_files(user)


def _by_room(rows: QuerySet[Message]) -> Iterator[tuple[UUID, list[UUID]]]:
    """The ids of the messages, a few of one room at a time, with the room's."""
    by_room = attrgetter("room_id")
    for page in pages(rows.only("id", "room_id"), PAGE):
        for room_id, messages in groupby(sorted(page, key=by_room), key=by_room):
            ids = [message.id for message in messages]
            for start in range(0, len(ids), STEP):
                yield room_id, ids[start : start + STEP]


def _forwarded(user: User) -> Iterator[tuple[UUID, list[UUID]]]:
    """What passes on what the user said, in whatever room, likewise. No index leads there: sending would pay for it."""
    begin = first_id_at(user.created_at, later=-_CLOCKS)
    while True:
        ahead = Message.objects.filter(id__gt=begin).order_by("id").values_list("id", flat=True)
        end = ahead[WINDOW - 1 : WINDOW].first()
        window = Message.objects.filter(id__gt=begin, forwarded_sender=user)
        yield from _by_room(window if end is None else window.filter(id__lte=end))
        if end is None:
            return
        begin = end


@transactional
def _bury(room_id: UUID, ids: Collection[UUID]) -> None:
    streams = log.lock(room_stream(room_id))
    for message in Message.objects.filter(id__in=ids, deleted_at=None).select_related("room").order_by("seq"):
        bury_message(streams, message, by=message.sender_id)


@transactional
def _take_back(reaction: Reaction) -> None:
    streams = log.lock(reaction.message.room.stream)
    message = Message.objects.select_related("room").get(id=reaction.message_id)
    take_back(streams, message, reaction.emoji, reaction.user_id)


@transactional
def _erase_sender(user: User, room_id: UUID, message_ids: Collection[UUID]) -> None:
    log.lock(room_stream(room_id))
    events.sender_erased(user, message_ids)


def _give_up_files(user: User) -> None:
    """What no message has goes at once, as far as the store answers; the rest is left to collect_orphans.

    So is what may be on its way to the store still.
    """
    whole = File.objects.filter(uploader=user, completed_at__isnull=False)
    for page in pages(whole.filter(unsent_since__isnull=False)):
        File.objects.filter(id__in=[file.id for file in page]).update(unsent_since=_LONG_AGO)
    for page in pages(whole.filter(Q(unsent_since__isnull=False) | Q(messages=None))):
        for file in page:
            collect_file(file.id)
