"""Messages by their words."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import problems
from core.pagination import Keyset
from core.serializers import read_query
from messaging import schemas, selectors
from messaging.models.words import terms_of
from messaging.serializers import SearchQuery

# By id, which is by time: unlike a room's `seq` it is of all rooms.
FOUND = Keyset("search", ("-id",))


@extend_schema(tags=["messaging"])
class SearchViewSet(viewsets.ViewSet):
    """Messages by their words."""

    @extend_schema(
        summary="Search the messages of my rooms, newest first",
        description=(
            "Finds the beginnings of words, whatever their case and accents, and any part of a text in Chinese, "
            "Japanese, Korean or Thai. `highlight` is an excerpt in parts: show them as text."
        ),
        parameters=[SearchQuery],
        responses={200: schemas.FoundMessagePage, **problems("not_found")},
    )
    def list(self, request: Request) -> Response:
        query = read_query(SearchQuery, request)
        search = selectors.Search(
            caller(request),
            terms_of(query["q"]),
            room_key=query.get("room_id", ""),
            sender_id=query.get("sender_id"),
            before=query.get("before"),
            after=query.get("after"),
            has_file=query.get("has_file"),
        )
        return Response(FOUND.page(request, search.rows, search.show, search.find))
