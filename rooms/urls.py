"""Paths of rooms. `<slug:room_key>` takes a UUID as well."""

from django.urls import path

from rooms.views import MemberViewSet, RoomAvatarViewSet, RoomViewSet

urlpatterns = [
    path("rooms", RoomViewSet.as_view({"get": "list", "post": "create"})),
    # Before the rooms themselves; no slug is spelled so.
    path("rooms/direct", RoomViewSet.as_view({"post": "direct"})),
    path("rooms/<slug:room_key>", RoomViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("rooms/<slug:room_key>/leave", RoomViewSet.as_view({"post": "leave"})),
    path("rooms/<slug:room_key>/avatar", RoomAvatarViewSet.as_view({"put": "update", "delete": "destroy"})),
    path("rooms/<slug:room_key>/members", MemberViewSet.as_view({"get": "list", "post": "create"})),
    path("rooms/<slug:room_key>/members/<uuid:user_id>", MemberViewSet.as_view({"delete": "destroy"})),
]
