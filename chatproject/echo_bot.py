"""The demo's echo bot: answers in its rooms, so that one person alone gets a reply.

It listens to the same commits as everyone and sends through the same service. On with ECHO_BOT,
which is on by default with DEBUG only.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import structlog
from django.db import close_old_connections

from accounts.models import User
from eventlog.log import LoggedEvent, room_stream
from messaging.services import Draft, send_messages
from rooms.models import Membership

USERNAME = "echo"

logger = structlog.get_logger(__name__)

# One thread of its own: nobody's ack waits for an echo.
_thread = ThreadPoolExecutor(1, thread_name_prefix="echo-bot")


def hear(events: list[LoggedEvent], **_: Any) -> None:
    """Receiver of `events_committed`."""
    messages = [event for event in events if event.type == "message"]
    if messages:
        _thread.submit(_answer, messages)


def _answer(messages: list[LoggedEvent]) -> None:
    close_old_connections()
    try:
        bot = User.objects.filter(username_key=USERNAME, is_bot=True).first()
        if bot is None:
            return
        rooms = Membership.active.filter(user=bot).values_list("room_id", flat=True)
        mine = {room_stream(room_id) for room_id in rooms}
        heard = [json.loads(event.frame)["data"] for event in messages if event.stream in mine]
        send_messages([_echo(bot.id, data) for data in heard if not data["sender"]["is_bot"]])
    except Exception:
        logger.exception("echo_failed")


def _echo(bot_id: UUID, data: dict[str, Any]) -> Draft:
    # The id makes the echo of a message one, whoever hears it and how often.
    return Draft(
        sender_id=bot_id,
        room=data["room_id"],
        content=data["content"] or "Nice file!",
        reply_to=data["id"],
        client_message_id=f"echo-{data['id']}",
    )
