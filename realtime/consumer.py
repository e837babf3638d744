"""One WebSocket: who is there, what it asks, what it gets. Rules of chat live in the apps' frames."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog
from channels.consumer import AsyncConsumer
from django.conf import settings

from core.errors import (
    AccountSuspended,
    AuthRequired,
    ChatError,
    EmailNotVerified,
    InternalError,
    InvalidFrame,
    MalformedJSON,
    RateLimited,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
    UnknownType,
    ValidationFailed,
)
from core.limits import Limit, Window
from realtime import frames, handshake, protocol
from realtime import hub as hubs
from realtime.close_codes import CloseCode
from realtime.connection import Connection
from realtime.protocol import AuthData, Frame, PresenceData, RefusedFrame, Request, ResumeData
from realtime.router import Arrival, Call, Identity, Outcome, Place, Route, Router

logger = structlog.get_logger(__name__)

MAX_UNANSWERED = 256
"""Batched requests of one connection under way at once; beyond, its next frame waits to be read."""

BAD_FRAMES = Limit("bad-frames", most=9, seconds=60)
"""One more closes the socket."""

REFUSALS = Limit("refusals", most=200, seconds=10)
"""Frames refused for their number; one more is a flood."""

EXPIRY_WARNING_SECONDS = 60
_BAD_FRAME = (MalformedJSON, InvalidFrame, UnknownType)
_CLOSE_CODES: dict[type[ChatError], CloseCode] = {
    TokenExpired: CloseCode.TOKEN_EXPIRED,
    SessionRevoked: CloseCode.SESSION_ENDED,
    AccountSuspended: CloseCode.SUSPENDED,
    EmailNotVerified: CloseCode.SUSPENDED,
}


class ChatConsumer(AsyncConsumer):
    """The consumer behind `/ws`, handed its router: `ChatConsumer.as_asgi(router=…)`.

    It runs its own loop in place of Channels' dispatch, which hops to a thread for every frame and
    dies of the first odd one; and its streams come through the hub, not through a group per socket.
    """

    def __init__(self, *, router: Router) -> None:
        self.router = router

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        if (await receive())["type"] != "websocket.connect":
            return
        if not handshake.origin_allowed(scope):
            await send({"type": "websocket.close", "code": 1008})
            return
        self.hub = hubs.current()
        self.connection = Connection(send, asyncio.current_task(), handshake.ready_writer(scope))
        self.unanswered = asyncio.Semaphore(MAX_UNANSWERED)
        self.frames = Window(
            Limit.of_rate("frames", burst=settings.WS_FRAME_BURST, per_second=settings.WS_FRAMES_PER_SECOND)
        )
        self.bad_frames = Window(BAD_FRAMES)
        self.refusals = Window(REFUSALS)
        self.timers: list[asyncio.TimerHandle] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        await send({"type": "websocket.accept", "subprotocol": handshake.subprotocol(scope)})
        writer = asyncio.create_task(self.connection.write())
        try:
            await self._greet()
            while (message := await receive())["type"] != "websocket.disconnect":
                await self._take(message)
                # Who reads none of our answers is not read either.
                await self.connection.has_room()
        except asyncio.CancelledError:
            if self.connection.close_code is None:
                raise
        finally:
            # disconnect() of a stock consumer may never be called; this always is.
            self.hub.remove(self.connection)
            self.connection.stop()
            for job in (*self.tasks, writer):
                job.cancel()
            self._cancel_timers()
            await asyncio.gather(writer, return_exceptions=True)

    # --- Who is there ---------------------------------------------------------------------------

    async def _greet(self) -> None:
        """Take the credential that came with the handshake, or give the client time to send one."""
        try:
            if credential := handshake.credential(self.scope):
                if credential.kind == "ticket":
                    claims = await self.hub.threads.run(self.router.redeem, credential.value)
                else:
                    claims = self.router.read_token(credential.value)
                await self._enter(await self.hub.arrive(self.router, claims))
                return
        except ChatError as error:
            self._refuse_entry(error, None)
            return
        except Exception:
            logger.exception("entry_failed")
            self._refuse_entry(InternalError(), None)
            return
        self._later(settings.WS_AUTH_SECONDS, self._close_unless_known)

    async def _enter(
        self, arrival: Arrival, request: Request | None = None, cursors: dict[str, int] | None = None
    ) -> None:
        """Say `ready`, then let the user's streams flow: from the heads, or from the client's cursors."""
        identity, places = arrival
        # Before `ready`, so that from then on nothing is missed, ephemera included.
        await self.hub.feeds.open([place.stream for place in places])
        self.connection.identity = identity
        self.hub.roster.add(self.connection, self.router.ended)
        self._watch_expiry(identity)
        self.connection.push(self._ready(identity, places, request))
        await self.hub.follow(self.connection, places)
        if cursors:
            denied = sorted(cursors.keys() - self.connection.following.keys())
            # Before anything of a stream can have been sent: nothing was awaited since it is followed.
            self._rewind(cursors)
            self._start(self._say_resumed(None, cursors, denied=denied))
        # A session that ended after its token was looked at, but before its end could be heard here.
        await self.hub.roster.check(self.connection)
        self.hub.presence.entered(self.connection, self.router)

    def _ready(self, identity: Identity, places: list[Place], request: Request | None) -> str:
        data = frames.Ready(
            connection_id=self.connection.id,
            user=identity.card,
            protocol=protocol.VERSION,
            heartbeat_interval_ms=settings.WS_HEARTBEAT_SECONDS * 1000,
            limits=frames.Limits(
                frame_bytes=settings.WS_MAX_FRAME_BYTES,
                message_length=settings.MAX_MESSAGE_LENGTH,
                edit_window_seconds=settings.EDIT_WINDOW_SECONDS,
                mentions=settings.MAX_MENTIONS,
                reactions=settings.MAX_REACTIONS,
                pins=settings.MAX_PINS,
                upload_bytes=settings.MAX_UPLOAD_BYTES,
                buffer_frames=settings.WS_BUFFER_FRAMES,
                buffer_bytes=settings.WS_BUFFER_BYTES,
                unanswered_requests=MAX_UNANSWERED,
                messages_per_second=settings.MESSAGES_PER_SECOND,
                message_burst=settings.MESSAGE_BURST,
                frames_per_second=settings.WS_FRAMES_PER_SECOND,
                frame_burst=settings.WS_FRAME_BURST,
                connections=settings.WS_CONNECTIONS_PER_USER,
            ),
            streams={place.stream: place.head for place in places},
        )
        return protocol.encode(Frame("ready", request.id if request else None, data=data))

    def _refuse_entry(self, error: ChatError, request: Request | None) -> None:
        self.connection.push(protocol.error(error, request))
        if error.retryable:
            self.connection.close(CloseCode.TRY_AGAIN_LATER)
        else:
            self.connection.close(_CLOSE_CODES.get(type(error), CloseCode.UNAUTHENTICATED))

    def _close_unless_known(self) -> None:
        if self.connection.identity is None:
            self.connection.push(protocol.error(AuthRequired("No `auth` frame came in time."), None))
            self.connection.close(CloseCode.TIMEOUT)

    def _watch_expiry(self, identity: Identity) -> None:
        self._cancel_timers()
        left = identity.expires_at - time.time()
        self._later(left - EXPIRY_WARNING_SECONDS, lambda: self._warn_of_expiry(identity))
        self._later(left, lambda: self.connection.close(CloseCode.TOKEN_EXPIRED))

    def _warn_of_expiry(self, identity: Identity) -> None:
        # A token may come with less than the usual notice left.
        data = frames.TokenExpiring(max(0, round(identity.expires_at - time.time())))
        self.connection.push(protocol.encode(Frame("token.expiring", data=data)))

    # --- What it asks ---------------------------------------------------------------------------

    async def _take(self, message: dict[str, Any]) -> None:
        if self.connection.close_code is not None or self.connection.is_finishing:
            return
        text = message.get("text")
        if text is None:
            self.connection.close(CloseCode.UNSUPPORTED_DATA)
        elif len(text) > settings.WS_MAX_FRAME_BYTES or len(text.encode()) > settings.WS_MAX_FRAME_BYTES:
            self.connection.close(CloseCode.MESSAGE_TOO_BIG)
        elif not self.frames.take():
            self._refuse(RateLimited(retry_after=1), None)
        else:
            request: Request | None = None
            try:
                request = protocol.decode(text)
                await self._answer(request)
            except RefusedFrame as refused:
                self._refuse(refused.error, refused.request)
            except ChatError as error:
                self._refuse(error, request)
            except Exception:
                logger.exception("frame_failed", type=request.type if request else None)
                self._refuse(InternalError(), request)

    async def _answer(self, request: Request) -> None:
        if request.type == "auth":
            await self._authenticate(request)
        elif self.connection.identity is None:
            raise AuthRequired
        elif request.type == "ping":
            self.connection.push(protocol.encode(Frame("pong", request.id, data=request.data)))
        elif request.type == "resume":
            self._resume(request)
        elif request.type == "presence":
            self.hub.presence.set(self.connection, protocol.typed(PresenceData, request.data).status)
        elif route := self.router.by_type.get(request.type):
            await self._call(route, self.connection.identity, request)
        else:
            raise UnknownType

    async def _authenticate(self, request: Request) -> None:
        data = protocol.typed(AuthData, request.data)
        cursors = _checked(data.cursors or {})
        known = self.connection.identity
        if known is None:
            self._cancel_timers()  # the client was in time; how long we take is not its fault
        try:
            arrival = await self.hub.arrive(self.router, self.router.read_token(data.token))
            if known and known.user_id != arrival.identity.user_id:
                raise TokenInvalid("A socket belongs to one user; open another one.")
        except ChatError as error:
            self._refuse_entry(error, request)
            return
        await self._enter(arrival, request, cursors)

    def _resume(self, request: Request) -> None:
        cursors = _checked(protocol.typed(ResumeData, request.data).cursors)
        denied = sorted(cursors.keys() - self.connection.following.keys())
        self._rewind(cursors)
        self._start(self._say_resumed(request, cursors, denied=denied))

    def _rewind(self, cursors: dict[str, int]) -> None:
        for stream in cursors.keys() & self.connection.following.keys():
            self.hub.rewind(self.connection, stream, cursors[stream])

    async def _say_resumed(
        self, request: Request | None, cursors: dict[str, int], *, denied: list[str]
    ) -> None:
        """`resumed`, once every named stream is where it is live."""
        while self.connection.catching_up and not self.connection.catching_up.done():
            await asyncio.wait([self.connection.catching_up])
        streams = {
            stream: frames.Replayed(cursor + 1, self.hub.feeds[stream].position)
            for stream, cursor in cursors.items()
            if stream in self.connection.following
        }
        data = frames.Resumed(streams, denied)
        self.connection.push(protocol.encode(Frame("resumed", request.id if request else None, data=data)))

    async def _call(self, route: Route, caller: Identity, request: Request) -> None:
        call = Call(caller, protocol.typed(route.data, request.data))
        if route.batched:
            await self.unanswered.acquire()
            self.connection.owed += 1
            future = self.hub.batcher(route).submit(call)
            future.add_done_callback(lambda done: self._finish(route, request, done))
        else:
            # In place, so that a connection's frames take effect in the order in which they came.
            self._acknowledge(route, request, await self.hub.threads.run(route.handler, caller, call.data))

    def _finish(self, route: Route, request: Request, done: asyncio.Future[Outcome]) -> None:
        self.unanswered.release()
        outcome = done.result()
        if isinstance(outcome, ChatError):
            self._refuse(outcome, request)
        else:
            self._acknowledge(route, request, outcome)
        self.connection.settle()

    def _acknowledge(self, route: Route, request: Request, data: Any) -> None:
        if route.ack == "always" or (route.ack == "if_asked" and request.id is not None):
            self.connection.push(protocol.ack(request, data))

    def _refuse(self, error: ChatError, request: Request | None) -> None:
        self.connection.push(protocol.error(error, request))
        if isinstance(error, _BAD_FRAME) and not self.bad_frames.take():
            self.connection.close(CloseCode.BAD_FRAMES)
        elif isinstance(error, RateLimited) and not self.refusals.take():
            self.connection.close(CloseCode.FLOODING)

    # --- Small things ---------------------------------------------------------------------------

    def _later(self, seconds: float, work: Any) -> None:
        self.timers.append(asyncio.get_running_loop().call_later(max(0, seconds), work))

    def _cancel_timers(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def _checked(cursors: dict[str, int]) -> dict[str, int]:
    for stream, place in cursors.items():
        if not 0 <= place < 2**63:
            raise ValidationFailed.of(
                f"cursors.{stream[:64]}", "invalid", "A cursor is a position, 0 or more."
            )
    return cursors
