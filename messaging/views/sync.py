"""A client's first start."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.schemas import me
from accounts.tokens import caller
from core.pagination import Keyset, PageQuery
from core.transactions import consistent_read
from eventlog import log
from eventlog.log import user_stream
from messaging import schemas
from rooms.schemas import my_room_views
from rooms.selectors import memberships_of, unread_total

SYNC = Keyset("sync", ("id",))


@extend_schema(tags=["messaging"])
class SyncViewSet(viewsets.ViewSet):
    """A client's first start."""

    @extend_schema(
        summary="Get everything that a fresh client shows, with the cursors to resume from",
        description="State and cursors of a page are of one moment: connect, resume from them, miss nothing.",
        parameters=[PageQuery],
        responses={200: schemas.Snapshot},
    )
    def retrieve(self, request: Request) -> Response:
        viewer = caller(request)
        with consistent_read():
            page = SYNC.page(request, memberships_of(viewer).select_related("room__stream_row"), list)
            streams = [row.room.stream_row for row in page.results]
            mine = user_stream(viewer.id)
            own = {} if page.previous_cursor else {mine: 0, **log.heads([mine])}
            snapshot = schemas.Snapshot(
                user=me(User.objects.get(id=viewer.id)),
                rooms=my_room_views(viewer, page.results),
                streams=own | {stream.name: stream.head for stream in streams},
                unread_total=unread_total(viewer),
                next_cursor=page.next_cursor,
            )
        return Response(snapshot)
