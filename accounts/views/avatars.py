"""One's own face: /users/me/avatar."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import schemas, services
from accounts.tokens import caller
from accounts.views.answers import LOGGED_OUT
from core.openapi import FILE_FORM, FILE_REFUSALS, problems
from core.parsers import FileParser
from core.serializers import FileBody, read_body


@extend_schema(tags=["users"])
class AvatarViewSet(viewsets.ViewSet):
    parser_classes = (FileParser,)

    @extend_schema(
        summary="Show a picture as my face",
        description="JPEG, PNG, GIF or WebP. It is cut to a square and made anew, without where it was taken.",
        **FILE_FORM,
        responses={200: schemas.Me, **problems(*FILE_REFUSALS, *LOGGED_OUT)},
    )
    def update(self, request: Request) -> Response:
        return Response(schemas.me(services.set_avatar(caller(request), **read_body(FileBody, request))))

    @extend_schema(summary="Show no face", responses={200: schemas.Me, **problems(*LOGGED_OUT)})
    def destroy(self, request: Request) -> Response:
        return Response(schemas.me(services.remove_avatar(caller(request))))
