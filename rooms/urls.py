"""Paths of rooms. `<slug:room_key>` takes a UUID as well, `<slug:code>` any invite's code."""

from django.urls import path

from rooms.views import (
    BanViewSet,
    InviteViewSet,
    MemberViewSet,
    OpenInviteViewSet,
    RoomAvatarViewSet,
    RoomViewSet,
)

urlpatterns = [
    path("rooms", RoomViewSet.as_view({"get": "list", "post": "create"})),
    # Before the rooms themselves; no slug is spelled so.
    path("rooms/direct", RoomViewSet.as_view({"post": "direct"})),
    path("rooms/public", RoomViewSet.as_view({"get": "public"})),
    path(
        "rooms/<slug:room_key>",
        RoomViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("rooms/<slug:room_key>/join", RoomViewSet.as_view({"post": "join"})),
    path("rooms/<slug:room_key>/leave", RoomViewSet.as_view({"post": "leave"})),
    path("rooms/<slug:room_key>/avatar", RoomAvatarViewSet.as_view({"put": "update", "delete": "destroy"})),
    path("rooms/<slug:room_key>/transfer", RoomViewSet.as_view({"post": "transfer"})),
    path("rooms/<slug:room_key>/me", RoomViewSet.as_view({"patch": "preferences"})),
    path("rooms/<slug:room_key>/members", MemberViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "rooms/<slug:room_key>/members/<uuid:user_id>",
        MemberViewSet.as_view({"patch": "partial_update", "delete": "destroy"}),
    ),
    path("rooms/<slug:room_key>/bans", BanViewSet.as_view({"get": "list"})),
    path(
        "rooms/<slug:room_key>/bans/<uuid:user_id>",
        BanViewSet.as_view({"put": "update", "delete": "destroy"}),
    ),
    path("rooms/<slug:room_key>/invites", InviteViewSet.as_view({"get": "list", "post": "create"})),
    path("rooms/<slug:room_key>/invites/<slug:code>", InviteViewSet.as_view({"delete": "destroy"})),
    path("invites/<slug:code>", OpenInviteViewSet.as_view({"get": "retrieve"})),
    path("invites/<slug:code>/accept", OpenInviteViewSet.as_view({"post": "accept"})),
]
