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
from rooms.serializers import NewBan, NewInvite

BANS = Keyset("bans", ("-created_at", "-id"))
INVITES = Keyset("invites", ("-created_at", "-id"))


@extend_schema(tags=["rooms"])
class BanViewSet(viewsets.ViewSet):
    @extend_schema(
        summary="Who is banned from a group, newest first",
        parameters=[PageQuery],
        responses={
            200: schemas.BanPage,
            **problems("forbidden", "not_found"),
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
            **problems("forbidden", "not_found"),
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
        responses={204: None, **problems("forbidden", "not_found")},
    )
    def destroy(self, request: Request, room_key: str, user_id: UUID) -> Response:
        services.unban_user(caller(request), room_key=room_key, user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["rooms"])
class InviteViewSet(viewsets.ViewSet):
    """Invites as the room's admins see them."""

    @extend_schema(
        summary="The invites to a group that still let somebody in, newest first",
        parameters=[PageQuery],
        responses={
            200: schemas.InvitePage,
            **problems("forbidden", "not_found"),
        },
    )
    def list(self, request: Request, room_key: str) -> Response:
        rows = selectors.invites_of(caller(request), room_key)
        return Response(INVITES.page(request, rows, lambda page: [schemas.invite(row) for row in page]))

    @extend_schema(
        summary="Make an invite to a group",
        description="Its code lets in whoever has it.",
        request=NewInvite,
        responses={
            201: schemas.Invite,
            **problems("forbidden", "room_locked", "not_found"),
        },
        examples=[
            OpenApiExample("Ten, for a day", {"expires_in": 86_400, "max_uses": 10}, request_only=True)
        ],
    )
    def create(self, request: Request, room_key: str) -> Response:
        body = read_body(NewInvite, request)
        invite = services.create_invite(caller(request), room_key=room_key, **body)
        return Response(schemas.invite(invite), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Take an invite back",
        responses={204: None, **problems("forbidden", "not_found")},
    )
    def destroy(self, request: Request, room_key: str, code: str) -> Response:
        services.revoke_invite(caller(request), room_key=room_key, code=code)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["rooms"])
class OpenInviteViewSet(viewsets.ViewSet):
    """Invites as those see them who have the code."""

    @extend_schema(
        summary="What an invite is to",
        responses={200: schemas.InvitePreview, **problems("not_found")},
    )
    def retrieve(self, request: Request, code: str) -> Response:
        return Response(schemas.invite_preview(selectors.find_invite(caller(request), code)))

    @extend_schema(
        summary="Come into a group by an invite",
        request=None,
        responses={
            200: schemas.RoomView,
            **problems("not_found", "already_member"),
        },
    )
    def accept(self, request: Request, code: str) -> Response:
        room = services.accept_invite(caller(request), code=code)
        return Response(schemas.room_views(caller(request), [room])[0])
