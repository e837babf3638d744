"""The REST door of messaging."""

from messaging.views.markers import ReadMarkerViewSet
from messaging.views.messages import MessageViewSet, RoomMessageViewSet
from messaging.views.receipts import ReceiptViewSet
from messaging.views.search import SearchViewSet
from messaging.views.sync import SyncViewSet

__all__ = [
    "MessageViewSet",
    "ReadMarkerViewSet",
    "ReceiptViewSet",
    "RoomMessageViewSet",
    "SearchViewSet",
    "SyncViewSet",
]
