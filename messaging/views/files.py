"""Files that were uploaded: what they are, and their content."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponseBase, HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.tokens import IsVerified, caller
from core.delivery import deliver
from core.openapi import problems
from core.serializers import read_query
from core.storage import attachments
from messaging import schemas, selectors
from messaging.models import File
from messaging.serializers import FileLinkQuery


class HasTokenOrLink(IsVerified):
    """Callers as everywhere, and whoever has a link that one of them was given."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return "signature" in request.query_params or super().has_permission(request, view)


@extend_schema(tags=["files"])
class FileViewSet(viewsets.ViewSet):
    @extend_schema(
        summary="A file",
        description="`download_url` opens it without a token, for a few minutes.",
        responses={200: schemas.FileWithLink},
    )
    def retrieve(self, request: Request, file_id: UUID) -> Response:
        viewer = caller(request)
        file = selectors.get_file(viewer, file_id)
        return Response(schemas.file_with_link(file, _link(viewer, file)))


@extend_schema(tags=["files"])
class FileContentViewSet(viewsets.ViewSet):
    permission_classes = (HasTokenOrLink,)

    @extend_schema(
        summary="A file's content",
        description="The bytes, a `Range` of them (RFC 9110 §14), or a redirect to them. With a `signature` no token "
        "is needed.",
        parameters=[FileLinkQuery],
        responses={
            (200, "*/*"): OpenApiTypes.BINARY,
            (206, "*/*"): OpenApiTypes.BINARY,
            302: OpenApiResponse(description="Where the bytes are, for a few minutes."),
            304: OpenApiResponse(description="`If-None-Match` names it."),
            416: OpenApiResponse(description="It ends before the `Range`."),
            **problems("storage_unavailable"),
        },
    )
    def retrieve(self, request: Request, file_id: UUID) -> HttpResponseBase:
        signature = read_query(FileLinkQuery, request).get("signature")
        viewer = caller(request) if signature is None else selectors.viewer_by(signature, file_id)
        file = selectors.get_file(viewer, file_id)
        if url := _store_link(file):
            # It opens to anyone, for a few minutes: nobody is to keep it.
            return HttpResponseRedirect(url, headers={"Cache-Control": "no-store"})
        return deliver(
            request,
            attachments.read(file.stored_as),
            size=file.size,
            content_type=file.content_type,
            name=file.name,
            etag=f'"{file.id.hex}"',
            inline=_shows_inline(file),
            # May be kept, but who may see it is asked each time.
            caching="private, no-cache",
        )


def _link(viewer: User, file: File) -> str:
    own = f"{schemas.file_url(file.id)}?signature={selectors.signature_for(viewer, file)}"
    return _store_link(file) or own


def _store_link(file: File) -> str | None:
    return attachments.link(file.stored_as, seconds=settings.FILE_LINK_SECONDS, inline=_shows_inline(file))


def _shows_inline(file: File) -> bool:
    """Pictures, sound and films show in a page; the rest is only saved, so that no browser opens it as ours."""
    return file.content_type.partition("/")[0] in ("image", "video", "audio")
