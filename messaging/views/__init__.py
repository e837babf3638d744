"""The REST door of messaging."""

from messaging.views.edits import RevisionViewSet
from messaging.views.markers import ReadMarkerViewSet, UnreadViewSet
from messaging.views.messages import MessageViewSet, RoomMessageViewSet
from messaging.views.sync import SyncViewSet

__all__ = [
    "MessageViewSet",
    "ReadMarkerViewSet",
    "RevisionViewSet",
    "RoomMessageViewSet",
    "SyncViewSet",
    "UnreadViewSet",
]
