"""uvicorn's WebSocket protocol, but for what it takes, ready messages, and for how it lets go.

At a stop, of who is silent, of who takes and doesn't give.
"""

from __future__ import annotations

from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from realtime.close_codes import CloseCode
from realtime.handshake import WRITE_EXTENSION

SECONDS_TO_FLUSH = 5

MAX_BYTES_AFTER_CLOSE = 65_536
"""Of what was on its way when we closed; there may be a reply to our close frame in it."""

MAX_FRAGMENTS = 1024
"""Of one message. Their size is limited as a whole, but a fragment may be empty."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Closes late where uvicorn closes at once, and at last where it waits for ever.

    Its scope has the extension `chat.write`: `send` makes each message anew for each socket, and an event goes to many.
    """

    _bytes_after_close = 0

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        # Ready bytes are plain ones: not for a connection that agreed on compression.
        if not self.close_sent and not self.conn.extensions:
            self.scope["extensions"][WRITE_EXTENSION] = {"write": self.write_ready}

    def write_ready(self, message: bytes) -> bool:
        """Write a whole message of RFC 6455; False, and nothing is written, if the peer doesn't keep up."""
        if not self.writable.is_set() or self.close_sent or self.transport.is_closing():
            return False
        self.transport.write(message)
        return True

    def data_received(self, data: bytes) -> None:
        """Who was told to go and floods on is not listened to: parsing costs more than sending."""
        super().data_received(data)
        if self.close_sent:
            self._bytes_after_close += len(data)
            if self._bytes_after_close > MAX_BYTES_AFTER_CLOSE and not self.transport.is_closing():
                self.transport.pause_reading()

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
        # Who is silent may have left much unread, too.
        self.loop.call_later(SECONDS_TO_FLUSH, self.transport.abort)

    async def run_asgi(self) -> None:
        """Closing a transport waits until the peer has read what is left, and so perhaps for ever."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(SECONDS_TO_FLUSH, self.transport.abort)

    def handle_ping(self) -> None:
        """Who reads nothing gets no pongs: they would wait in our memory."""
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)

    def handle_cont(self, event: Frame) -> None:
        if self.close_sent:
            return
        super().handle_cont(event)
        if len(self.frames) > MAX_FRAGMENTS:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            self.handle_parser_exception()
