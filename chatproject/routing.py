"""The socket's frame table, put together from the apps': the twin of `urls`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from accounts import services as accounts
from accounts import tokens
from accounts.models import User
from accounts.selectors import last_seen_of
from core.errors import ChatError
from friendships import selectors as friendships
from messaging import frames as messaging
from realtime.consumer import ChatConsumer
from realtime.router import Arrival, Audience, Claims, Identity, Router
from rooms import selectors as rooms

PRESENCE_MEMBERS = 200
"""In larger rooms presence is not announced: when n members come at once, that is n * n frames."""


def arrive(claims: Sequence[Claims]) -> list[Arrival | ChatError]:
    """Who comes with each of these claims; three statements for all of them."""
    found = tokens.identify(claims)
    places = rooms.places_of({one.user_id for one in found if isinstance(one, Identity)})
    return [Arrival(one, places[one.user_id]) if isinstance(one, Identity) else one for one in found]


def audience_of(user_id: UUID, last_seen: str | None = None) -> Audience:
    """Who is told of a user's presence: those of their room-mates and friends whom they let see it, or would by
    another `last_seen`; but for who is blocked or has blocked them.
    """
    last_seen = last_seen or last_seen_of(user_id)
    everyone, nobody = last_seen == User.Audience.EVERYONE, last_seen == User.Audience.NOBODY
    streams = rooms.room_streams_of(user_id, at_most=PRESENCE_MEMBERS) if everyone else []
    friends = set[UUID]() if nobody else friendships.friend_ids_of(user_id)
    return Audience(streams, friends, not_to=rooms.room_mates_apart_from(user_id))


router = Router(
    routes=[*messaging.FRAMES],
    read_token=tokens.claims_of,
    redeem=tokens.redeem_ticket,
    arrive=arrive,
    ended=tokens.ended_sessions,
    audience_of=audience_of,
    seen=accounts.mark_seen,
)

PATHS = ("/ws", "/ws/", "/api/v1/ws", "/api/v1/ws/")

socket = ChatConsumer.as_asgi(router=router)
