"""uvicorn's HTTP protocol, but with an end to its patience: uvicorn waits for ever for a request, and for a reader."""

from __future__ import annotations

import asyncio

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LEAST_BYTES_PER_SECOND = 8192
"""Of a body, or of an answer that its reader takes: beyond HTTP_REQUEST_SECONDS, what there is much of has so long."""

MAX_HEAD_BYTES = 2 * 2**20
"""uvicorn takes in a head of any size. A token of 1 MB is still answered like any bad one."""


class HttpProtocol(HttpToolsProtocol):
    """Drops clients that don't finish a request or don't read its answer."""

    _request_timer: asyncio.TimerHandle | None = None
    _answer_timer: asyncio.TimerHandle | None = None
    _deadline = 0.0
    _head_bytes = 0
    _in_head = True

    # --- A request, until it has come whole -----------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        self._expect_request()
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.abort()

    def on_message_begin(self) -> None:
        self._expect_request()
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._deadline += len(body) / LEAST_BYTES_PER_SECOND
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._forget_request()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        # From here on the socket's own timers count.
        self._forget_request()
        super().handle_websocket_upgrade()

    def _expect_request(self) -> None:
        if self._request_timer is None:
            self._deadline = self.loop.time() + settings.HTTP_REQUEST_SECONDS
            self._request_timer = self.loop.call_at(self._deadline, self._give_up)

    def _give_up(self) -> None:
        if self.loop.time() < self._deadline:
            self._request_timer = self.loop.call_at(self._deadline, self._give_up)
        else:
            self.transport.abort()

    def _forget_request(self) -> None:
        if self._request_timer:
            self._request_timer.cancel()
            self._request_timer = None

    # --- An answer, until it has been read ------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget_reader()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._expect_reader()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._expect_reader()

    def _expect_reader(self) -> None:
        # Closing a transport waits until the peer has read what is left.
        if self._answer_timer is None:
            seconds = self.transport.get_write_buffer_size() / LEAST_BYTES_PER_SECOND
            seconds += settings.HTTP_REQUEST_SECONDS
            self._answer_timer = self.loop.call_later(seconds, self.transport.abort)

    def _forget_reader(self) -> None:
        if self._answer_timer:
            self._answer_timer.cancel()
            self._answer_timer = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget_request()
        self._forget_reader()
