"""The REST door of messaging."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.schemas import me
from accounts.tokens import caller
from core.errors import RateLimited
from core.openapi import problems
from core.pagination import Keyset, Page, PageQuery
from core.serializers import read_body, read_query
from core.transactions import consistent_read
from eventlog import log
from eventlog.log import user_stream
from messaging import schemas, selectors, services
from messaging.models import Message
from messaging.serializers import HistoryQuery, MarkReadSerializer, SendMessageSerializer
from rooms.schemas import room_views
from rooms.selectors import memberships_of, unread_total

NEWEST_FIRST = Keyset("history", ("-seq",))
SYNC = Keyset("sync", ("id",))
OLDEST_FIRST = Keyset("history.after", ("seq",))

_COMMON = ("not_authenticated", "token_invalid", "token_expired", "session_revoked", "account_suspended")


@extend_schema(tags=["messaging"])
class RoomMessageViewSet(viewsets.ViewSet):
    """The messages of a room."""

    @extend_schema(
        summary="Read a room's history",
        description="Newest first; oldest first with `after`. One anchor at most; `around` gives both sides.",
        parameters=[HistoryQuery],
        responses={200: schemas.MessagePage, **problems("invalid_parameter", *_COMMON, "not_found")},
    )
    def list(self, request: Request, room_key: str) -> Response:
        query = read_query(HistoryQuery, request)
        rows = selectors.messages_in(caller(request), room_key)
        if (around := query.get("around")) is not None:
            return Response(self._around(rows.order_by("-seq"), around, query["limit"]))
        if "after" in query or OLDEST_FIRST.gave(query.get("cursor")):
            keyset, rows = OLDEST_FIRST, rows.filter(seq__gt=query.get("after", 0))
        else:
            keyset, rows = NEWEST_FIRST, rows.filter(seq__lt=query["before"]) if "before" in query else rows
        return Response(keyset.page(request, rows, selectors.show))

    def _around(self, rows: QuerySet[Message, Any], seq: int, limit: int) -> Page[schemas.Message]:
        """Half before, half from `seq` on; where one side is short the other is not made longer."""
        newer = limit // 2
        # One more, to know whether there is a page above.
        above = list(rows.filter(seq__gt=seq).order_by("seq")[: newer + 1])
        found = [*reversed(above[:newer]), *rows.filter(seq__lte=seq)[: limit - newer]]
        return Page(
            results=selectors.show(found),
            next_cursor=NEWEST_FIRST.cursor(found[-1]) if found and found[-1].seq > 1 else None,
            previous_cursor=NEWEST_FIRST.cursor(found[0], backwards=True)
            if found and len(above) > newer
            else None,
        )

    @extend_schema(
        summary="Send a message",
        description="With a `client_message_id` a repeat gives the first message: 200 and `Idempotent-Replay`.",
        request=SendMessageSerializer,
        responses={
            201: schemas.Message,
            200: schemas.Message,
            **problems(
                "validation_error",
                "malformed_json",
                "unknown_field",
                *_COMMON,
                "room_locked",
                "blocked",
                "not_found",
                "idempotency_conflict",
                "too_large",
                "unsupported_media_type",
                "rate_limited",
                "unavailable",
            ),
        },
        examples=[
            OpenApiExample(
                "A message",
                {"content": "Hello world!", "client_message_id": "c0ffee-1"},
                request_only=True,
            )
        ],
    )
    def create(self, request: Request, room_key: str) -> Response:
        body = read_body(SendMessageSerializer, request)
        if not services.room_to_send(caller(request).id):
            raise RateLimited(retry_after=1)
        sent = services.send_message(services.Draft(sender_id=caller(request).id, room=room_key, **body))
        if sent.duplicate:
            return Response(schemas.message(sent.message), headers={"Idempotent-Replay": "true"})
        return Response(schemas.message(sent.message), status=201)


@extend_schema(tags=["messaging"])
class ReadMarkerViewSet(viewsets.ViewSet):
    """How far I have read."""

    @extend_schema(
        summary="Mark a room read up to a message",
        description="Never moves back, never past the last message.",
        request=MarkReadSerializer,
        responses={
            200: schemas.ReadMarker,
            **problems("validation_error", "malformed_json", "unknown_field", *_COMMON, "not_found"),
        },
    )
    def update(self, request: Request, room_key: str) -> Response:
        body = read_body(MarkReadSerializer, request)
        return Response(services.mark_read(caller(request).id, room_key, seq=body["seq"]))


@extend_schema(tags=["messaging"])
class SyncViewSet(viewsets.ViewSet):
    """A client's first start."""

    @extend_schema(
        summary="Get everything that a fresh client shows, with the cursors to resume from",
        description="State and cursors of a page are of one moment: connect, resume from them, miss nothing.",
        parameters=[PageQuery],
        responses={200: schemas.Snapshot, **problems("invalid_parameter", *_COMMON)},
    )
    def retrieve(self, request: Request) -> Response:
        viewer = caller(request)
        with consistent_read():
            page = SYNC.page(request, memberships_of(viewer), list)
            rooms = [row.room for row in page.results]
            mine = user_stream(viewer.id)
            own = {} if page.previous_cursor else {mine: 0, **log.heads([mine])}
            snapshot = schemas.Snapshot(
                user=me(User.objects.get(id=viewer.id)),
                rooms=room_views(viewer, rooms),
                streams=own | {room.stream: room.stream_row.head for room in rooms},
                unread_total=unread_total(viewer),
                next_cursor=page.next_cursor,
            )
        return Response(snapshot)


@extend_schema(tags=["messaging"])
class MessageViewSet(viewsets.ViewSet):
    """A message by its id."""

    @extend_schema(
        summary="Get a message",
        responses={200: schemas.Message, **problems(*_COMMON, "not_found")},
    )
    def retrieve(self, request: Request, message_id: UUID) -> Response:
        return Response(schemas.message(selectors.get_message(caller(request), message_id)))
