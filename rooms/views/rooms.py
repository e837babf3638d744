"""Rooms over REST."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import problems
from core.pagination import Keyset
from core.serializers import read_body, read_query
from rooms import schemas, selectors, services
from rooms.models import Room
from rooms.serializers import (
    NewDirectRoom,
    NewOwner,
    NewRoom,
    PublicRoomQuery,
    RoomQuery,
    UpdatePreferences,
    UpdateRoom,
)

ROOMS = Keyset("rooms", ("-room__last_activity_at", "-room_id"))
PUBLIC_ROOMS = Keyset("public_rooms", ("-id",))

_SOMEONE = "01a20445-d2d2-7371-bae7-5ddc3d096593"


class RoomViewSet(viewsets.ViewSet):
    @extend_schema(
        tags=["rooms"],
        summary="My rooms, latest activity first",
        parameters=[RoomQuery],
        responses={200: schemas.RoomPage},
    )
    def list(self, request: Request) -> Response:
        viewer = caller(request)
        query = read_query(RoomQuery, request)
        mine = selectors.memberships_of(
            viewer,
            type_=query.get("type", ""),
            search=query.get("search", ""),
            unread=query.get("unread"),
        )
        return Response(ROOMS.page(request, mine, lambda page: schemas.my_room_views(viewer, page)))

    @extend_schema(
        tags=["rooms"],
        summary="Rooms that I may join, newest first",
        parameters=[PublicRoomQuery],
        responses={200: schemas.RoomPage},
    )
    def public(self, request: Request) -> Response:
        viewer = caller(request)
        rooms = selectors.rooms_to_join(viewer, search=read_query(PublicRoomQuery, request)["search"])
        return Response(PUBLIC_ROOMS.page(request, rooms, lambda page: schemas.room_views(viewer, page)))

    @extend_schema(
        tags=["rooms"],
        summary="Make a group",
        request=NewRoom,
        responses={
            201: schemas.RoomView,
            **problems("already_exists"),
        },
        examples=[
            OpenApiExample(
                "A group",
                {"name": "Kitchen", "slug": "kitchen", "member_ids": [_SOMEONE]},
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        room = services.create_room(caller(request), **read_body(NewRoom, request))
        return Response(self._view(request, room), status=status.HTTP_201_CREATED)

    @extend_schema(
        tags=["rooms"],
        summary="The direct room with another user, made if there is none",
        request=NewDirectRoom,
        responses={
            200: schemas.RoomView,
            201: schemas.RoomView,
            **problems("blocked", "forbidden", "not_found"),
        },
        examples=[OpenApiExample("Someone", {"user_id": _SOMEONE}, request_only=True)],
    )
    def direct(self, request: Request) -> Response:
        room, is_new = services.open_direct_room(caller(request), **read_body(NewDirectRoom, request))
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self._view(request, room), status=code)

    @extend_schema(
        tags=["rooms"],
        summary="A room of mine",
        responses={200: schemas.RoomView},
    )
    def retrieve(self, request: Request, room_key: str) -> Response:
        return Response(self._view(request, selectors.find_room(caller(request), room_key)))

    @extend_schema(
        tags=["rooms"],
        summary="Change a group",
        description="Admins do. To archive a group, and to open it again, takes an owner.",
        request=UpdateRoom,
        responses={
            200: schemas.RoomView,
            **problems("forbidden", "room_locked", "not_found", "already_exists"),
        },
        examples=[
            OpenApiExample("Talk", {"topic": "Who cooks?", "state": "active"}, request_only=True),
            OpenApiExample("Newcomers read on from here", {"history": "joined"}, request_only=True),
        ],
    )
    def partial_update(self, request: Request, room_key: str) -> Response:
        body = read_body(UpdateRoom, request)
        return Response(self._view(request, services.update_room(caller(request), room_key=room_key, **body)))

    @extend_schema(
        tags=["rooms"],
        summary="Delete a group of mine, for all of its members",
        description="Its messages are gone for them, and its slug stays taken.",
        responses={204: None, **problems("forbidden")},
    )
    def destroy(self, request: Request, room_key: str) -> Response:
        services.delete_room(caller(request), room_key=room_key)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        tags=["rooms"],
        summary="Join a public room",
        request=None,
        responses={
            200: schemas.RoomView,
            **problems("not_found", "already_member"),
        },
    )
    def join(self, request: Request, room_key: str) -> Response:
        return Response(self._view(request, services.join_room(caller(request), room_key=room_key)))

    @extend_schema(
        tags=["rooms"],
        summary="Leave a group",
        request=None,
        responses={204: None, **problems("forbidden", "last_owner")},
    )
    def leave(self, request: Request, room_key: str) -> Response:
        services.leave_room(caller(request), room_key=room_key)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        tags=["rooms"],
        summary="Make another member the owner of a group of mine",
        description="I stay, as an admin.",
        request=NewOwner,
        responses={
            200: schemas.RoomView,
            **problems("forbidden", "not_found"),
        },
        examples=[OpenApiExample("Someone", {"user_id": _SOMEONE}, request_only=True)],
    )
    def transfer(self, request: Request, room_key: str) -> Response:
        body = read_body(NewOwner, request)
        return Response(
            self._view(request, services.transfer_room(caller(request), room_key=room_key, **body))
        )

    @extend_schema(
        tags=["rooms"],
        summary="Mute or pin a room, for myself",
        description="My other devices hear of it, nobody else does.",
        request=UpdatePreferences,
        responses={
            200: schemas.RoomPreferences,
            **problems("not_found"),
        },
        examples=[
            OpenApiExample("Quiet", {"muted_until": "2030-01-01T00:00:00Z"}, request_only=True),
            OpenApiExample("To the top", {"pinned": True}, request_only=True),
        ],
    )
    def preferences(self, request: Request, room_key: str) -> Response:
        body = read_body(UpdatePreferences, request)
        mine = services.set_preferences(caller(request), room_key=room_key, **body)
        return Response(schemas.room_preferences(mine))

    def _view(self, request: Request, room: Room) -> schemas.RoomView:
        return schemas.room_views(caller(request), [room])[0]
