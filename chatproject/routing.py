"""The socket's frame table, put together from the apps': the twin of `urls`."""

from __future__ import annotations

from uuid import UUID

from accounts import services as accounts
from accounts import tokens
from friendships import selectors as friendships
from messaging import frames as messaging
from realtime.consumer import ChatConsumer
from realtime.router import Audience, Router
from rooms import selectors as rooms

PRESENCE_MEMBERS = 200
"""In larger rooms presence is not announced: when n members come at once, that is n * n frames."""


def audience_of(user_id: UUID) -> Audience:
    """Who is told of a user's presence: room-mates and friends, but for who is blocked or has blocked them."""
    streams = rooms.room_streams_of(user_id, at_most=PRESENCE_MEMBERS)
    not_to = rooms.room_mates_apart_from(user_id)
    return Audience(streams, friendships.friend_ids_of(user_id), not_to)


router = Router(
    routes=[*messaging.FRAMES],
    identify=tokens.identify,
    redeem=tokens.redeem_ticket,
    places_of=rooms.places_of,
    ended=tokens.ended_sessions,
    audience_of=audience_of,
    seen=accounts.mark_seen,
)

PATHS = ("/ws", "/ws/", "/api/v1/ws", "/api/v1/ws/")

socket = ChatConsumer.as_asgi(router=router)
