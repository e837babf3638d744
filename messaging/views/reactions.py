"""Reactions to a message."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import problems
from messaging import schemas, selectors, services


@extend_schema(tags=["messaging"])
class ReactionViewSet(viewsets.ViewSet):
    """My reactions to a message."""

    @extend_schema(
        summary="React to a message",
        description="`emoji` is one emoji, percent-encoded. A repeat changes nothing.",
        request=None,
        responses={
            200: schemas.Reactions,
            **problems("validation_error", "room_locked", "muted", "blocked", "not_found", "conflict"),
        },
    )
    def update(self, request: Request, message_id: UUID, emoji: str) -> Response:
        services.add_reaction(caller(request).id, message_id=message_id, emoji=emoji)
        return self._reactions(request, message_id)

    @extend_schema(
        summary="Take a reaction back",
        description="Without one, nothing changes.",
        responses={
            200: schemas.Reactions,
            **problems("validation_error", "not_found"),
        },
    )
    def destroy(self, request: Request, message_id: UUID, emoji: str) -> Response:
        services.remove_reaction(caller(request).id, message_id=message_id, emoji=emoji)
        return self._reactions(request, message_id)

    def _reactions(self, request: Request, message_id: UUID) -> Response:
        # The service has found that the caller may read the message.
        reactions = selectors.reactions_to(caller(request), [message_id])
        return Response(schemas.Reactions(reactions.get(message_id, [])))
