"""Who may not come into a room, and who is invited, over REST."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import problems
from core.pagination import Keyset, PageQuery
from core.serializers import read_body
from rooms import schemas, selectors, services
from rooms.serializers import NewBan

BANS = Keyset("bans", ("-created_at", "-id"))


@extend_schema(tags=["rooms"])
class BanViewSet(viewsets.ViewSet):
    @extend_schema(
        summary="Who is banned from a group, newest first",
        parameters=[PageQuery],
        responses={
            200: schemas.BanPage,
            **problems("not_authenticated", "forbidden", "not_found", "invalid_parameter"),
        },
    )
    def list(self, request: Request, room_key: str) -> Response:
        rows = selectors.bans_of(caller(request), room_key)
        return Response(BANS.page(request, rows, lambda page: [schemas.ban(row) for row in page]))

    @extend_schema(
        summary="Ban a user from a group",
        description="A member is removed. A repeat says anew why, and until when.",
        request=NewBan,
        responses={
            200: schemas.Ban,
            **problems("validation_error", "unknown_field", "not_authenticated", "forbidden", "not_found"),
        },
        examples=[
            OpenApiExample(
                "For a while", {"reason": "Spam", "expires_at": "2030-01-01T00:00:00Z"}, request_only=True
            )
        ],
    )
    def update(self, request: Request, room_key: str, user_id: UUID) -> Response:
        body = read_body(NewBan, request)
        ban = services.ban_user(caller(request), room_key=room_key, user_id=user_id, **body)
        return Response(schemas.ban(ban))

    @extend_schema(
        summary="Take a ban back",
        responses={204: None, **problems("not_authenticated", "forbidden", "not_found")},
    )
    def destroy(self, request: Request, room_key: str, user_id: UUID) -> Response:
        services.unban_user(caller(request), room_key=room_key, user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
