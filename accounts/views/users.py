"""Users, oneself among them: /users."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import schemas, selectors, services
from accounts.models import User
from accounts.serializers import EraseMeBody, EraseMeQuery, PresenceQuery, SearchQuery, UpdateMeBody
from accounts.tokens import caller
from core.openapi import problems
from core.pagination import Keyset
from core.serializers import read_body, read_query

USERS = Keyset("users", order=("username_key",))


@extend_schema(tags=["users"])
class MeViewSet(viewsets.ViewSet):
    unverified_may = ("retrieve", "partial_update", "destroy", "export")

    @extend_schema(summary="My account", responses={200: schemas.Me})
    def retrieve(self, request: Request) -> Response:
        return Response(schemas.me(caller(request)))

    @extend_schema(
        summary="Change my profile and my settings",
        request=UpdateMeBody,
        responses={200: schemas.Me},
        examples=[
            OpenApiExample("Another name", {"display_name": "Alice A."}, request_only=True),
            OpenApiExample(
                "For friends only",
                {"settings": {"last_seen": "friends", "messages_from": "friends"}},
                request_only=True,
            ),
        ],
    )
    def partial_update(self, request: Request) -> Response:
        user = services.update_me(caller(request), **read_body(UpdateMeBody, request))
        return Response(schemas.me(user))

    @extend_schema(
        summary="Erase my account",
        description="For good, and at once: my sessions end, my names are free, and others see a deleted user in my "
        "place. What I have in many places goes within minutes.",
        parameters=[EraseMeQuery],
        request=EraseMeBody,
        examples=[OpenApiExample("My password", {"password": "worn-out-jumpy-tutor"}, request_only=True)],
        responses={204: None},
    )
    def destroy(self, request: Request) -> Response:
        erases_messages = read_query(EraseMeQuery, request)["messages"] == "erase"
        body = read_body(EraseMeBody, request)
        services.erase_me(caller(request), password=body["password"], erases_messages=erases_messages)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Take along what is mine",
        description="A zip: my account, sessions, friends, rooms, messages, files and what else is mine; its README.txt "
        "says what is what. A few times an hour.",
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def export(self, request: Request) -> FileResponse:
        return FileResponse(
            services.export(caller(request)),
            as_attachment=True,
            filename="export.zip",
            content_type="application/zip",
            headers={"Cache-Control": "no-store"},
        )


@extend_schema(tags=["users"])
class UserViewSet(viewsets.ViewSet):
    @extend_schema(
        summary="Find users, by user name",
        parameters=[SearchQuery],
        responses={200: schemas.UserPage},
    )
    def list(self, request: Request) -> Response:
        viewer = caller(request)
        rows = selectors.search_users(viewer, search=read_query(SearchQuery, request)["search"])

        def show(users: Sequence[User]) -> list[schemas.UserProfile]:
            return _profiles(viewer, users)

        return Response(USERS.page(request, rows, show))

    @extend_schema(summary="A user", responses={200: schemas.UserProfile, **problems("not_found")})
    def retrieve(self, request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the path
        viewer = caller(request)
        return Response(_profiles(viewer, [selectors.get_user(viewer, id)])[0])


@extend_schema(tags=["users"])
class PresenceViewSet(viewsets.ViewSet):
    @extend_schema(
        summary="Who is here",
        description="Tells of you, your friends and those who share a room with you; others are left out. Who does "
        "not show you whether they are here is offline.",
        parameters=[PresenceQuery],
        responses={200: schemas.UserPresence},
    )
    def list(self, request: Request) -> Response:
        ids = [UUID(id_) for id_ in read_query(PresenceQuery, request)["ids"].split(",")]
        known = selectors.known_presences(caller(request), ids)
        return Response(
            [schemas.user_presence(id_, known[id_]) for id_ in dict.fromkeys(ids) if id_ in known]
        )


def _profiles(viewer: User, users: Sequence[User]) -> list[schemas.UserProfile]:
    relationships, presences = selectors.relationships(viewer, users), selectors.presences(viewer, users)
    return [schemas.user_profile(user, relationships[user.id], presences[user.id]) for user in users]
