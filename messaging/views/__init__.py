"""The REST door of messaging."""

from messaging.views.edits import RevisionViewSet
from messaging.views.files import FileContentViewSet, FileViewSet
from messaging.views.markers import ReadMarkerViewSet, UnreadViewSet
from messaging.views.messages import MessageViewSet, RoomMessageViewSet
from messaging.views.pins import PinViewSet, RoomPinViewSet
from messaging.views.reactions import ReactionViewSet
from messaging.views.receipts import ReceiptViewSet
from messaging.views.search import SearchViewSet
from messaging.views.sync import SyncViewSet
from messaging.views.uploads import SignedUploadViewSet, UploadViewSet

__all__ = [
    "FileContentViewSet",
    "FileViewSet",
    "MessageViewSet",
    "PinViewSet",
    "ReactionViewSet",
    "ReadMarkerViewSet",
    "ReceiptViewSet",
    "RevisionViewSet",
    "RoomMessageViewSet",
    "RoomPinViewSet",
    "SearchViewSet",
    "SignedUploadViewSet",
    "SyncViewSet",
    "UnreadViewSet",
    "UploadViewSet",
]
