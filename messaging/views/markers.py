"""How far I have read, and what I have not."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.serializers import read_body
from messaging import schemas, selectors, services
from messaging.serializers import MarkReadSerializer


@extend_schema(tags=["messaging"])
class ReadMarkerViewSet(viewsets.ViewSet):
    """How far I have read."""

    @extend_schema(
        summary="Mark a room read up to a message",
        description="Never moves back, never past the last message.",
        request=MarkReadSerializer,
        responses={200: schemas.ReadMarker},
    )
    def update(self, request: Request, room_key: str) -> Response:
        body = read_body(MarkReadSerializer, request)
        return Response(services.mark_read(caller(request).id, room_key, seq=body["seq"]))


@extend_schema(tags=["messaging"])
class UnreadViewSet(viewsets.ViewSet):
    """What I have not read."""

    @extend_schema(
        summary="How much I have not read, by room",
        description="Only rooms with something to read, latest activity first.",
        responses={200: schemas.Unread},
    )
    def retrieve(self, request: Request) -> Response:
        return Response(selectors.unread_of(caller(request)))
