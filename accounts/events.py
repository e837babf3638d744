"""What accounts announces."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from accounts import schemas
from accounts.models import User
from eventlog.log import Draft, LockedStreams, user_stream
from realtime import publish
from realtime.close_codes import CloseCode
from realtime.frames import FrameType

USER_EVENTS = {"account.updated": FrameType(schemas.Me, "My account is another now.")}


def account_updated(streams: LockedStreams, user: User, *, actor_id: UUID) -> None:
    """`account.updated` to the user: `Me`."""
    streams.append(
        Draft(
            stream=user_stream(user.id),
            type="account.updated",
            data=schemas.me(user),
            actor_id=actor_id,
            object_id=user.id,
        )
    )


def presence_switched(user: User, *, before: str) -> None:
    """After the commit, `presence` (not kept) to who sees the user's no more, or only now: another `last_seen` than `before`."""
    transaction.on_commit(
        lambda: publish.switch_presence(user.id, before=before, last_seen_at=user.last_seen_at)
    )


def sessions_ended(
    user_id: UUID, session_ids: Collection[UUID] | None, *, code: CloseCode = CloseCode.SESSION_ENDED
) -> None:
    """After the commit, closes the sockets of these sessions of the user, or of all (None)."""
    transaction.on_commit(lambda: publish.end_connections(user_id, session_ids=session_ids, code=code))
