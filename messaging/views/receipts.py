"""Who has read a message, or got it."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.pagination import Keyset, PageQuery
from messaging import schemas, selectors

RECEIPTS = Keyset("receipts", ("joined_at", "id"))


@extend_schema(tags=["messaging"])
class ReceiptViewSet(viewsets.ViewSet):
    """Who has read a message, or got it."""

    @extend_schema(
        summary="Who has read or received a message",
        description="Without its sender, and without those who joined the room after it; in order of joining.",
        parameters=[PageQuery],
        responses={200: schemas.MessageReceiptPage},
    )
    def list(self, request: Request, message_id: UUID) -> Response:
        rows = selectors.receipts_of(caller(request), message_id)
        return Response(RECEIPTS.page(request, rows, schemas.message_receipts))
