"""uvicorn's WebSocket protocol, but for how it leaves."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

SECONDS_TO_FLUSH = 5


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Lets go of a peer that reads nothing.

    Closing a transport waits for what it still has to send, and so for ever: the descriptor and the
    buffer would stay until the peer goes.
    """

    async def run_asgi(self) -> None:
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(SECONDS_TO_FLUSH, self.transport.abort)
