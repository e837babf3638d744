"""What friendships announces: to both users, so that each one's other devices hear of it too."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.schemas import erased, user_card
from eventlog import log
from eventlog.log import Draft, LockedStreams, user_stream
from friendships import schemas
from friendships.models import FriendRequest
from realtime.frames import FrameType

USER_EVENTS = {
    "friend.request": FrameType(schemas.FriendRequest, "One of us asked the other to be friends."),
    "friend.accepted": FrameType(schemas.FriendRequest, "We are friends."),
    "friend.rejected": FrameType(schemas.FriendRequest, "The answer was no."),
    "friend.cancelled": FrameType(schemas.FriendRequest, "The question was taken back."),
    "friend.removed": FrameType(schemas.FriendRemoved, "We are no friends any more."),
}


def friend_requested(streams: LockedStreams, request: FriendRequest) -> None:
    _to_both(streams, "friend.request", request, actor=request.from_user)


def friend_accepted(streams: LockedStreams, request: FriendRequest) -> None:
    _to_both(streams, "friend.accepted", request, actor=request.to_user)


def friend_rejected(streams: LockedStreams, request: FriendRequest) -> None:
    _to_both(streams, "friend.rejected", request, actor=request.to_user)


def friend_cancelled(streams: LockedStreams, request: FriendRequest) -> None:
    _to_both(streams, "friend.cancelled", request, actor=request.from_user)


def friend_removed(streams: LockedStreams, *, actor: User, friend: User) -> None:
    """`friend` is no friend of `actor`'s any more; each is told of the other."""
    streams.append(
        *(
            Draft(
                stream=user_stream(recipient.id),
                type="friend.removed",
                data=schemas.FriendRemoved(user=user_card(other)),
                actor_id=actor.id,
                object_id=other.id,
            )
            for recipient, other in ((actor, friend), (friend, actor))
        )
    )


def requests_erased(user: User, request_ids: Collection[UUID]) -> None:
    """No frame about these requests has more of the user than is left of them, nor what they wrote in one."""

    def change(shown: Any) -> Any:
        words = {"message": ""} if shown["from"]["id"] == str(user.id) else {}
        return {**erased(shown, user), **words}

    log.rewrite(request_ids, change)


def _to_both(streams: LockedStreams, type_: str, request: FriendRequest, *, actor: User) -> None:
    data = schemas.friend_request(request)
    streams.append(
        *(
            Draft(
                stream=user_stream(user_id),
                type=type_,
                data=data,
                actor_id=actor.id,
                object_id=request.id,
            )
            for user_id in (request.from_user_id, request.to_user_id)
        )
    )
