"""Paths of messaging, below /api/v1. A room's path takes its id or its slug."""

from django.urls import path

from messaging.views import (
    FileContentViewSet,
    FileViewSet,
    MessageViewSet,
    PinViewSet,
    ReactionViewSet,
    ReadMarkerViewSet,
    ReceiptViewSet,
    RevisionViewSet,
    RoomMessageViewSet,
    RoomPinViewSet,
    SearchViewSet,
    SignedUploadViewSet,
    SyncViewSet,
    UnreadViewSet,
    UploadViewSet,
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
    path("uploads", UploadViewSet.as_view({"post": "create"})),
    path("uploads/signature", SignedUploadViewSet.as_view({"post": "create"})),
    path("uploads/<uuid:upload_id>/complete", SignedUploadViewSet.as_view({"post": "complete"})),
    path("files/<uuid:file_id>", FileViewSet.as_view({"get": "retrieve"})),
    path("files/<uuid:file_id>/content", FileContentViewSet.as_view({"get": "retrieve"})),
]
