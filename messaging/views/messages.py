"""The messages of a room, and one by its id."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import problems
from core.pagination import Keyset, Page, PageQuery
from core.serializers import read_body, read_query
from messaging import schemas, selectors, services
from messaging.models import Message
from messaging.serializers import EditMessageSerializer, HistoryQuery, SendMessageSerializer

NEWEST_FIRST = Keyset("history", ("-seq",))
OLDEST_FIRST = Keyset("history.after", ("seq",))
REPLIES = Keyset("replies", ("seq",))


@extend_schema(tags=["messaging"])
class RoomMessageViewSet(viewsets.ViewSet):
    """The messages of a room."""

    throttle_scope = "message"

    @extend_schema(
        summary="Read a room's history",
        description="Newest first; oldest first with `after`. One anchor at most; `around` gives both sides.",
        parameters=[HistoryQuery],
        responses={200: schemas.MessagePage},
    )
    def list(self, request: Request, room_key: str) -> Response:
        query = read_query(HistoryQuery, request)
        rows = selectors.messages_in(caller(request), room_key)
        if (around := query.get("around")) is not None:
            return Response(self._around(request, rows.order_by("-seq"), around, query["limit"]))
        if "after" in query or OLDEST_FIRST.gave(query.get("cursor")):
            keyset, rows = OLDEST_FIRST, rows.filter(seq__gt=query.get("after", 0))
        else:
            keyset, rows = NEWEST_FIRST, rows.filter(seq__lt=query["before"]) if "before" in query else rows
        return Response(keyset.page(request, rows, partial(selectors.show, caller(request))))

    def _around(
        self, request: Request, rows: QuerySet[Message, Any], seq: int, limit: int
    ) -> Page[schemas.Message]:
        """Half before, half from `seq` on; where one side is short the other is not made longer."""
        newer = limit // 2
        # One more of each, to know whether there is a page above, and one below.
        above = list(rows.filter(seq__gt=seq).order_by("seq")[: newer + 1])
        below = list(rows.filter(seq__lte=seq)[: limit - newer + 1])
        found = [*reversed(above[:newer]), *below[: limit - newer]]
        return Page(
            results=selectors.show(caller(request), found),
            next_cursor=NEWEST_FIRST.cursor(found[-1]) if len(below) > limit - newer else None,
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
            **problems("room_locked", "muted", "blocked", "not_found", "conflict", "idempotency_conflict"),
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
        sent = services.send_message(services.Draft(sender_id=caller(request).id, room=room_key, **body))
        if sent.duplicate:
            first = selectors.get_sent_message(caller(request), sent.message.id)
            return Response(first, headers={"Idempotent-Replay": "true"})
        return Response(schemas.message(sent.message), status=201)


@extend_schema(tags=["messaging"])
class MessageViewSet(viewsets.ViewSet):
    """A message by its id."""

    @extend_schema(
        summary="Get a message",
        responses={200: schemas.Message},
    )
    def retrieve(self, request: Request, message_id: UUID) -> Response:
        return Response(selectors.get_message(caller(request), message_id))

    @extend_schema(
        summary="Edit a message of mine",
        description="For a day after it was sent. What it said before is in its history.",
        request=EditMessageSerializer,
        responses={
            200: schemas.Message,
            **problems("forbidden", "room_locked", "muted", "blocked", "conflict", "edit_window_closed"),
        },
        examples=[OpenApiExample("Another content", {"content": "Hello, world!"}, request_only=True)],
    )
    def partial_update(self, request: Request, message_id: UUID) -> Response:
        body = read_body(EditMessageSerializer, request)
        services.edit_message(caller(request).id, message_id=message_id, **body)
        return Response(selectors.get_message(caller(request), message_id))

    @extend_schema(
        summary="Delete a message of mine, or in a room that I administer",
        description="Its number stays, its content, edits, reactions, mentions and pin go. A repeat changes nothing.",
        responses={
            200: schemas.Message,
            **problems("forbidden", "not_found"),
        },
    )
    def destroy(self, request: Request, message_id: UUID) -> Response:
        services.delete_message(caller(request).id, message_id=message_id)
        return Response(selectors.get_message(caller(request), message_id))

    @extend_schema(
        summary="Read what answers a message, oldest first",
        description="What answers an answer is its own thread: `reply_count` says whether there is one.",
        parameters=[PageQuery],
        responses={200: schemas.MessagePage},
    )
    def replies(self, request: Request, message_id: UUID) -> Response:
        viewer = caller(request)
        rows = selectors.replies_to(viewer, message_id)
        return Response(REPLIES.page(request, rows, partial(selectors.show, viewer)))
