"""One's own face: /users/me/avatar."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import schemas, services
from accounts.tokens import caller
from core.openapi import FILE_FORM, problems
from core.parsers import FileParser
from core.serializers import FileBody, read_body


@extend_schema(tags=["users"])
class AvatarViewSet(viewsets.ViewSet):
    parser_classes = (FileParser,)
    throttle_scope = "upload"

    @extend_schema(
        summary="Show a picture as my face",
        description="JPEG, PNG, GIF or WebP. It is cut to a square and made anew, without where it was taken.",
        request=FILE_FORM,
        responses={200: schemas.Me, **problems("storage_unavailable")},
    )
    def update(self, request: Request) -> Response:
        return Response(schemas.me(services.set_avatar(caller(request), **read_body(FileBody, request))))

    @extend_schema(summary="Show no face", responses={200: schemas.Me})
    def destroy(self, request: Request) -> Response:
        return Response(schemas.me(services.remove_avatar(caller(request))))
