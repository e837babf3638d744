"""Users, rooms and messages for a run, put into the database in bulk: no door is measured by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from accounts import tokens
from accounts.models import Session, User
from core.ids import new_id
from eventlog.log import room_stream, user_stream
from eventlog.models import Stream
from rooms.models import Membership, Room

_BATCH = 2000


class Account(NamedTuple):
    id: UUID
    token: str


def people(count: int) -> list[Account]:
    """Users with a session each; `token` is their access token."""
    users = []
    for _ in range(count):
        name = f"user-{uuid4().hex[:16]}"
        address = f"{name}@example.com"
        users.append(
            User(
                username=name,
                username_key=name,
                email=address,
                email_key=address,
                display_name_key=name,
                password="!",
            )
        )
    User.objects.bulk_create(users, batch_size=_BATCH)
    tomorrow = timezone.now() + timedelta(days=1)
    sessions = [Session(user=user, refresh_id=uuid4(), expires_at=tomorrow) for user in users]
    Session.objects.bulk_create(sessions, batch_size=_BATCH)
    Stream.objects.bulk_create([Stream(name=user_stream(user.id)) for user in users], batch_size=_BATCH)
    return [
        Account(user.id, tokens.issue(session).access) for user, session in zip(users, sessions, strict=True)
    ]


def rooms(members: Sequence[Sequence[Account]]) -> list[UUID]:
    """A group for each list of members; its id."""
    made = [
        Room(id=new_id(), type=Room.Type.GROUP, name="Room", member_count=len(accounts))
        for accounts in members
    ]
    Stream.objects.bulk_create([Stream(name=room.stream) for room in made], batch_size=_BATCH)
    names = {room_stream(room.id): room for room in made}
    for row in Stream.objects.filter(name__in=names):
        names[row.name].stream_row_id = row.id
    Room.objects.bulk_create(made, batch_size=_BATCH)
    memberships = [
        Membership(room=room, user_id=account.id)
        for room, accounts in zip(made, members, strict=True)
        for account in accounts
    ]
    Membership.objects.bulk_create(memberships, batch_size=_BATCH)
    return [room.id for room in made]


def fill(room_ids: Sequence[UUID], sender: Account, *, messages: int) -> None:
    """So many messages in each of the rooms, made by the database itself; no events."""
    columns = "id, room_id, seq, pos, sender_id, type, content, words, body_hash, reply_count, created_at"
    with connection.cursor() as cursor:
        for start in range(0, len(room_ids), _BATCH):
            part = [str(room_id) for room_id in room_ids[start : start + _BATCH]]
            marks = ",".join(["%s"] * len(part))
            cursor.execute(
                f"INSERT INTO messaging_message ({columns}) "
                "SELECT UUID(), r.id, s.seq, s.seq, %s, 'text', CONCAT('message ', s.seq, REPEAT(' and so on', 9)), "
                "'', '', 0, NOW(6) - INTERVAL (%s - s.seq) SECOND "
                f"FROM rooms_room r JOIN seq_1_to_{messages} s WHERE r.id IN ({marks})",
                [str(sender.id), messages, *part],
            )
            cursor.execute(
                "UPDATE rooms_room r JOIN messaging_message m ON m.room_id = r.id AND m.seq = %s "
                "SET r.last_seq = %s, r.last_message_id = m.id, r.last_activity_at = m.created_at "
                f"WHERE r.id IN ({marks})",
                [messages, messages, *part],
            )


def log_events(room_id: UUID, count: int, frame: str) -> None:
    """So many events in the room's stream, made by the database itself, all with the data of `frame`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO eventlog_event (stream_id, pos, type, ends_for, opens, frame, created_at) "
            "SELECT st.id, s.seq, 'message', '', '', "
            'CONCAT(\'{"type":"message","stream":"\', st.name, \'","pos":\', s.seq, \',\', %s), NOW(6) '
            f"FROM eventlog_stream st JOIN seq_1_to_{count} s WHERE st.name = %s",
            [frame, room_stream(room_id)],
        )
        cursor.execute("UPDATE eventlog_stream SET head = %s WHERE name = %s", [count, room_stream(room_id)])
