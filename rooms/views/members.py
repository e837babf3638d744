"""The members of a room over REST."""

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
from rooms.serializers import NewMembers, UpdateMember

MEMBERS = Keyset("members", ("joined_at", "id"))


class MemberViewSet(viewsets.ViewSet):
    @extend_schema(
        tags=["rooms"],
        summary="The members of a room, in order of joining",
        parameters=[PageQuery],
        responses={
            200: schemas.MemberPage,
            **problems("not_found"),
        },
    )
    def list(self, request: Request, room_key: str) -> Response:
        viewer = caller(request)
        rows = selectors.members_of(viewer, selectors.find_room(viewer, room_key))
        return Response(
            MEMBERS.page(request, rows, lambda page: [schemas.member(viewer, row) for row in page])
        )

    @extend_schema(
        tags=["rooms"],
        summary="Add members to a group",
        request=NewMembers,
        responses={
            200: schemas.AddedMembers,
            **problems("forbidden", "room_locked", "not_found"),
        },
        examples=[
            OpenApiExample(
                "Someone", {"user_ids": ["01a20445-d2d2-7371-bae7-5ddc3d096593"]}, request_only=True
            )
        ],
    )
    def create(self, request: Request, room_key: str) -> Response:
        body = read_body(NewMembers, request)
        return Response(services.add_members(caller(request), room_key=room_key, **body))

    @extend_schema(
        tags=["rooms"],
        summary="Change a member's role, or mute them",
        description="Owners give roles. Admins and owners mute those who are just members; a higher role ends it.",
        request=UpdateMember,
        responses={
            200: schemas.Member,
            **problems("forbidden", "not_found", "last_owner"),
        },
        examples=[
            OpenApiExample("An admin more", {"role": "admin"}, request_only=True),
            OpenApiExample("Silence", {"muted_until": "2030-01-01T00:00:00Z"}, request_only=True),
        ],
    )
    def partial_update(self, request: Request, room_key: str, user_id: UUID) -> Response:
        actor, body = caller(request), read_body(UpdateMember, request)
        membership = services.update_member(actor, room_key=room_key, user_id=user_id, **body)
        return Response(schemas.member(actor, membership))

    @extend_schema(
        tags=["rooms"],
        summary="Remove a member from a group",
        responses={204: None, **problems("validation_error", "forbidden", "not_found")},
    )
    def destroy(self, request: Request, room_key: str, user_id: UUID) -> Response:
        services.remove_member(caller(request), room_key=room_key, user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
