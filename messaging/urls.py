"""Paths of messaging, below /api/v1. A room's path takes its id or its slug."""

from django.urls import path

from messaging.views import (
    MessageViewSet,
    PinViewSet,
    ReactionViewSet,
    ReadMarkerViewSet,
    ReceiptViewSet,
    RevisionViewSet,
    RoomMessageViewSet,
    RoomPinViewSet,
    SearchViewSet,
    SyncViewSet,
    UnreadViewSet,
)

urlpatterns = [
    path("rooms/<slug:room_key>/messages", RoomMessageViewSet.as_view({"get": "list", "post": "create"})),
    path("rooms/<slug:room_key>/read", ReadMarkerViewSet.as_view({"put": "update"})),
    path("rooms/<slug:room_key>/pins", RoomPinViewSet.as_view({"get": "list"})),
    path("sync", SyncViewSet.as_view({"get": "retrieve"})),
    path("messages/search", SearchViewSet.as_view({"get": "list"})),
    path("unread", UnreadViewSet.as_view({"get": "retrieve"})),
    path(
        "messages/<uuid:message_id>",
        MessageViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("messages/<uuid:message_id>/history", RevisionViewSet.as_view({"get": "list"})),
    path("messages/<uuid:message_id>/pin", PinViewSet.as_view({"put": "update", "delete": "destroy"})),
    path(
        "messages/<uuid:message_id>/reactions/<str:emoji>",
        ReactionViewSet.as_view({"put": "update", "delete": "destroy"}),
    ),
    path("messages/<uuid:message_id>/receipts", ReceiptViewSet.as_view({"get": "list"})),
    path("messages/<uuid:message_id>/replies", MessageViewSet.as_view({"get": "replies"})),
]
