"""A group's face."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import FILE_FORM, problems
from core.parsers import FileParser
from core.serializers import FileBody, read_body
from rooms import schemas, services
from rooms.models import Room


@extend_schema(tags=["rooms"])
class RoomAvatarViewSet(viewsets.ViewSet):
    parser_classes = (FileParser,)
    throttle_scope = "upload"

    @extend_schema(
        summary="Show a picture as a group's face",
        description="For admins. JPEG, PNG, GIF or WebP; it is cut to a square and made anew.",
        request=FILE_FORM,
        responses={200: schemas.RoomView, **problems("forbidden", "room_locked", "storage_unavailable")},
    )
    def update(self, request: Request, room_key: str) -> Response:
        body = read_body(FileBody, request)
        return self._shown(request, services.set_avatar(caller(request), room_key=room_key, **body))

    @extend_schema(
        summary="Show no face of a group",
        responses={200: schemas.RoomView, **problems("forbidden", "room_locked")},
    )
    def destroy(self, request: Request, room_key: str) -> Response:
        return self._shown(request, services.remove_avatar(caller(request), room_key=room_key))

    def _shown(self, request: Request, room: Room) -> Response:
        return Response(schemas.room_views(caller(request), [room])[0])
