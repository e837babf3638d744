"""The socket's frame table, put together from the apps': the twin of `urls`."""

from __future__ import annotations

from accounts import tokens
from messaging import frames as messaging
from realtime.consumer import ChatConsumer
from realtime.router import Router
from rooms import selectors as rooms

router = Router(
    routes=[*messaging.FRAMES],
    identify=tokens.identify,
    redeem=tokens.redeem_ticket,
    places_of=rooms.places_of,
    ended=tokens.ended_sessions,
)

PATHS = ("/ws", "/ws/", "/api/v1/ws", "/api/v1/ws/")

socket = ChatConsumer.as_asgi(router=router)
