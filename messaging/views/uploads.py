"""Files that come: through us, or straight to the file store."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import FILE_FORM, problems
from core.parsers import FileParser
from core.serializers import FileBody, read_body
from messaging import schemas, services
from messaging.serializers import SignUploadBody


@extend_schema(tags=["files"])
class UploadViewSet(viewsets.ViewSet):
    parser_classes = (FileParser,)
    throttle_scope = "upload"

    @extend_schema(
        summary="Upload a file",
        description="Then send it: `file_id` in a message. What it is, its content says, not its name. Pictures, films, "
        "sound, PDF, text, ZIP and office documents are taken.",
        request=FILE_FORM,
        responses={201: schemas.File, **problems("storage_unavailable")},
    )
    def create(self, request: Request) -> Response:
        file = services.upload_file(caller(request), **read_body(FileBody, request))
        return Response(schemas.file(file), status=201)


@extend_schema(tags=["files"])
class SignedUploadViewSet(viewsets.ViewSet):
    throttle_scope = "upload"

    @extend_schema(
        summary="Sign an upload straight to the file store",
        description="Post a form of the `fields`, and the file as `file`, to `upload_url`; then complete the upload. "
        "409 where the server keeps files itself.",
        request=SignUploadBody,
        responses={
            201: schemas.SignedUpload,
            **problems("conflict"),
        },
    )
    def create(self, request: Request) -> Response:
        upload = services.invite_upload(caller(request), **read_body(SignUploadBody, request))
        return Response(schemas.signed_upload(upload.file, upload.invitation), status=201)

    @extend_schema(
        summary="Complete an upload to the file store",
        description="The store is asked whether the file is there, and is what was announced. A repeat changes nothing.",
        request=None,
        responses={
            200: schemas.File,
            **problems("validation_error", "too_large", "storage_unavailable"),
        },
    )
    def complete(self, request: Request, upload_id: UUID) -> Response:
        return Response(schemas.file(services.complete_upload(caller(request), upload_id=upload_id)))
