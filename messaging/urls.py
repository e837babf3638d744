from django.urls import path, re_path

from messaging.views import MessageViewSet, ReadMarkerViewSet, RoomMessageViewSet

ROOM = r"^rooms/(?P<room>[A-Za-z0-9_-]{1,64})"

urlpatterns = [
    re_path(rf"{ROOM}/messages$", RoomMessageViewSet.as_view({"get": "list", "post": "create"})),
    re_path(rf"{ROOM}/read$", ReadMarkerViewSet.as_view({"put": "update"})),
    path("messages/<uuid:message_id>", MessageViewSet.as_view({"get": "retrieve"})),
]
