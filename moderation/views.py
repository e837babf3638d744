"""The REST door: /reports."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import problems
from core.serializers import read_body
from moderation import schemas, services
from moderation.serializers import NewReport


@extend_schema(tags=["moderation"])
class ReportViewSet(viewsets.ViewSet):
    """What I tell the staff of."""

    @extend_schema(
        summary="Report a user, a room or a message to the staff",
        description="What it is at this moment is kept with the report. A repeat gives the first report: 200.",
        request=NewReport,
        responses={
            201: schemas.Report,
            200: schemas.Report,
            **problems("not_found"),
        },
        examples=[
            OpenApiExample(
                "A message",
                {
                    "target_type": "message",
                    "target_id": "01a20445-d2d2-7371-bae7-5ddc3d096593",
                    "reason": "spam",
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        made, is_new = services.report(caller(request), **read_body(NewReport, request))
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(schemas.report(made), status=code)
