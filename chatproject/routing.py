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
from realtime.router import Arrival, Audience, Claims, Identity, Router, Watchers
from rooms import selectors as rooms

PRESENCE_MEMBERS = 200
"""In larger rooms presence is not announced: when n members come at once, that is n * n frames."""


def arrive(claims: Sequence[Claims]) -> list[Arrival | ChatError]:
    """Who comes with each of these claims; three statements for all of them."""
    found = tokens.identify(claims)
    places = rooms.places_of({one.user_id for one in found if isinstance(one, Identity)})
    return [Arrival(one, places[one.user_id]) if isinstance(one, Identity) else one for one in found]


def audience_of(user_id: UUID) -> Audience:
    """Who is told of a user's presence: room-mates and friends whom they let see it, but for who is blocked or blocks."""
    mates = Watchers(streams=rooms.room_streams_of(user_id, at_most=PRESENCE_MEMBERS))
    friends = Watchers(user_ids=friendships.friend_ids_of(user_id))
    everyone = Watchers(mates.streams, friends.user_ids)
    told, hidden_from = {
        User.Audience.EVERYONE: (everyone, Watchers()),
        User.Audience.FRIENDS: (friends, mates),
        User.Audience.NOBODY: (Watchers(), everyone),
    }[User.Audience(last_seen_of(user_id))]
    return Audience(told, hidden_from, not_to=rooms.room_mates_apart_from(user_id))


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
