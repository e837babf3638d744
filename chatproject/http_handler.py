"""Django's answers to HTTP requests, on a fixed number of threads."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any

from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.http import FileResponse, HttpResponseBase
from django.urls import set_script_prefix

from chatproject.http_body import Body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from chatproject.http_body import Receive

    Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class HttpHandler(ASGIHandler):
    """Django's own handler opens a thread, and so a database connection, per request; here each thread keeps one.

    A thread works on a request that has come whole, and lets go of it with its answer: neither a slow sender nor a
    slow reader holds one.
    """

    def __init__(self, *, threads: int) -> None:
        # Not Django's, which makes the middlewares asynchronous.
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="http")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body = Body(scope, receive)
        try:
            if await body.arrive():
                run = contextvars.copy_context().run
                loop = asyncio.get_running_loop()
                response = await loop.run_in_executor(self._threads, run, self._answer, scope, body.file)
                await self._send(response, scope["method"], send)
        finally:
            body.close()

    def _answer(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = self.get_response(request) if request else refusal
        response._handler_class = self.__class__  # noqa: SLF001 - as Django's handlers do
        if not response.streaming:
            response.close()
        return response

    async def _send(self, response: Any, method: str, send: Send) -> None:
        if not response.streaming:
            await self.send_response(response, send)
            return
        try:
            if isinstance(response, FileResponse):
                response.block_size = self.chunk_size
            response.streaming_content = _read(iter(response.streaming_content), method)
            await self.send_response(response, send)
        finally:
            await asyncio.to_thread(response.close)


async def _read(chunks: Iterator[bytes], method: str) -> AsyncIterator[bytes]:
    """The chunks, at their reader's pace. A HEAD gets no body (RFC 9110 §9.3.2), so that none is read for it."""
    while method != "HEAD" and (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
