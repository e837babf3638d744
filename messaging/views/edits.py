"""What a message said before it was edited."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import problems
from core.pagination import Keyset, PageQuery
from messaging import schemas, selectors

REVISIONS = Keyset("revisions", ("-edited_at", "-id"))


@extend_schema(tags=["messaging"])
class RevisionViewSet(viewsets.ViewSet):
    """What a message said before it was edited."""

    @extend_schema(
        summary="The edits of a message, newest first",
        description="Each is a content that the message had, and when another took its place.",
        parameters=[PageQuery],
        responses={200: schemas.RevisionPage, **problems("not_found")},
    )
    def list(self, request: Request, message_id: UUID) -> Response:
        rows = selectors.revisions_of(caller(request), message_id)
        return Response(REVISIONS.page(request, rows, lambda page: [schemas.revision(row) for row in page]))
