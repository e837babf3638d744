"""Pinned messages."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import problems
from core.pagination import Keyset, PageQuery
from messaging import schemas, selectors, services

PINS = Keyset("pins", ("-pinned_at", "-seq"))


@extend_schema(tags=["messaging"])
class RoomPinViewSet(viewsets.ViewSet):
    """The pinned messages of a room."""

    @extend_schema(
        summary="The pinned messages of a room, latest pinned first",
        parameters=[PageQuery],
        responses={200: schemas.MessagePage, **problems("not_found")},
    )
    def list(self, request: Request, room_key: str) -> Response:
        rows = selectors.pins_in(caller(request), room_key)
        return Response(PINS.page(request, rows, partial(selectors.show, caller(request))))


@extend_schema(tags=["messaging"])
class PinViewSet(viewsets.ViewSet):
    """Whether a message is pinned."""

    @extend_schema(
        summary="Pin a message, in a room that I administer or a direct one",
        description="A repeat changes nothing.",
        request=None,
        responses={
            200: schemas.Message,
            **problems("forbidden", "room_locked", "muted", "blocked", "not_found", "conflict"),
        },
    )
    def update(self, request: Request, message_id: UUID) -> Response:
        services.pin_message(caller(request).id, message_id=message_id)
        return Response(selectors.get_message(caller(request), message_id))

    @extend_schema(
        summary="Take a pin back",
        description="Without one, nothing changes.",
        responses={200: schemas.Message, **problems("forbidden", "not_found")},
    )
    def destroy(self, request: Request, message_id: UUID) -> Response:
        services.unpin_message(caller(request).id, message_id=message_id)
        return Response(selectors.get_message(caller(request), message_id))
