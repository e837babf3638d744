"""The REST door of messaging."""

from messaging.views.files import FileContentViewSet, FileViewSet
from messaging.views.markers import ReadMarkerViewSet
from messaging.views.messages import MessageViewSet, RoomMessageViewSet
from messaging.views.sync import SyncViewSet
from messaging.views.uploads import SignedUploadViewSet, UploadViewSet

__all__ = [
    "FileContentViewSet",
    "FileViewSet",
    "MessageViewSet",
    "ReadMarkerViewSet",
    "RoomMessageViewSet",
    "SignedUploadViewSet",
    "SyncViewSet",
    "UploadViewSet",
]
