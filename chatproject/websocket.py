"""uvicorn's WebSocket protocol, but for how it lets go: at a stop, and of a peer that is silent or reads nothing."""

from __future__ import annotations

from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from realtime.close_codes import CloseCode

SECONDS_TO_FLUSH = 5


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Closes late where uvicorn closes at once, and at last where it waits for ever."""

    def shutdown(self) -> None:
        """At a stop: the hub sends its connections elsewhere, one by one; what is left then is closed."""
        from realtime import hub  # noqa: PLC0415 - Django is not set up when uvicorn imports this

        hub.start_draining(settings.WS_DRAIN_SECONDS)
        self.loop.call_later(settings.WS_DRAIN_SECONDS + 1, self._close_now)

    def _close_now(self) -> None:
        if not self.disconnected:
            super().shutdown()

    def keepalive_timeout(self) -> None:
        """At a ping without an answer: uvicorn says 1011, as if the server were broken."""
        if not (self.close_sent or self.transport.is_closing()):
            self.conn.fail(CloseCode.TIMEOUT, CloseCode.TIMEOUT.reason)
        super().keepalive_timeout()
        self.loop.call_later(SECONDS_TO_FLUSH, self.transport.abort)

    async def run_asgi(self) -> None:
        """Closing a transport waits until the peer has read what is left, and so perhaps for ever."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(SECONDS_TO_FLUSH, self.transport.abort)
