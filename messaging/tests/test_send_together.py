"""What several HTTP threads send at the same time is saved together, and waits for no lock of one of them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.conf import settings
from django.db import connection, transaction

from core.errors import ChatError
from eventlog import log
from messaging import services
from messaging.models import Message
from rooms.services import create_room

pytestmark = pytest.mark.django_db(transaction=True)


def in_a_thread(pool, work):
    def run():
        try:
            return work()
        finally:
            connection.close()

    return pool.submit(run)


def test_all_are_saved_and_numbered(alice, room, draft_of):
    with ThreadPoolExecutor(8) as pool:
        sent = [in_a_thread(pool, lambda: services.send_message(draft_of(alice))) for _ in range(24)]
        assert sorted(one.result().message.seq for one in sent) == list(range(1, 25))
    assert Message.objects.count() == 24


if not settings.EMBEDDED_DATABASE:  # SQLite has one lock for everything

    def test_a_room_that_somebody_keeps_locked_holds_up_its_own_senders_only(alice, room, draft_of):
        other = create_room(alice, name="Other", member_ids=[])
        locked, enough, ended = Event(), Event(), []

        def keep_locked():
            with transaction.atomic():
                log.lock(room.stream)
                locked.set()
                enough.wait(20)

        def send(name, room_id):
            try:
                services.send_message(draft_of(alice, room=str(room_id)))
            except ChatError as error:
                ended.append((name, error.code))
            else:
                ended.append((name, "sent"))

        with ThreadPoolExecutor(4) as pool:
            stranger = in_a_thread(pool, keep_locked)
            locked.wait(10)
            held_up = in_a_thread(pool, lambda: send("held up", room.id))
            others = [in_a_thread(pool, lambda: send("other", other.id)) for _ in range(6)]
            for one in [*others, held_up]:
                one.result()
            enough.set()
            stranger.result()
        assert ended == [("other", "sent")] * 6 + [("held up", "unavailable")]
