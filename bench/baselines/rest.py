"""What Django and DRF give by themselves: model serializers and generic views on our tables, Django's ASGI handler.

Well made, without a query per row. Sending takes the room's lock, numbers and saves; it tells nobody, keeps no
event and asks for no repeats.
"""

from __future__ import annotations

from typing import Any

from django.core.asgi import get_asgi_application

application = get_asgi_application()

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.urls import path
from rest_framework import generics, pagination, serializers

from accounts.models import User
from accounts.tokens import caller
from messaging.models import Message
from rooms.models import Membership, Room


class Newest(pagination.CursorPagination):
    page_size = 50
    ordering = "-seq"


class LatestActivity(Newest):
    ordering = "-last_activity_at"


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "username", "display_name", "is_bot"]


class MessageSerializer(serializers.ModelSerializer[Message]):
    sender = UserSerializer(read_only=True)

    class Meta:
        model = Message
        fields = [
            *("id", "room", "seq", "type", "content", "file_url", "sender", "reply_to", "reply_count"),
            *("client_message_id", "edited_at", "deleted_at", "created_at"),
        ]
        read_only_fields = [name for name in fields if name not in ("content", "client_message_id")]


class RoomSerializer(serializers.ModelSerializer[Room]):
    unread_count = serializers.IntegerField()
    last_message = serializers.SerializerMethodField()

    class Meta:
        model = Room
        fields = [
            *("id", "slug", "type", "visibility", "name", "topic", "state", "member_count", "last_seq"),
            *("unread_count", "last_message", "created_at", "updated_at"),
        ]

    def get_last_message(self, room: Room) -> dict[str, Any] | None:
        message = self.context["last_messages"].get(room.last_message_id)
        return MessageSerializer(message).data if message else None


class Messages(generics.ListCreateAPIView[Message]):
    serializer_class = MessageSerializer
    pagination_class = Newest

    def get_queryset(self) -> QuerySet[Message]:
        room = generics.get_object_or_404(
            Room, id=self.kwargs["room"], memberships__user=caller(self.request), memberships__left_pos=None
        )
        return Message.objects.filter(room=room).select_related("sender").defer("words")

    @transaction.atomic
    def perform_create(self, serializer: serializers.BaseSerializer[Message]) -> None:
        sender = caller(self.request)
        room = generics.get_object_or_404(
            Room.objects.select_for_update(),
            id=self.kwargs["room"],
            memberships__user=sender,
            memberships__left_pos=None,
        )
        room.last_seq += 1
        numbers = {"seq": room.last_seq, "pos": room.last_seq}
        message = serializer.save(room=room, sender=sender, type="text", body_hash="", **numbers)
        room.last_message_id, room.last_activity_at = message.id, message.created_at
        room.save(update_fields=["last_seq", "last_message_id", "last_activity_at"])
        Membership.objects.filter(room=room, user=sender).update(last_read_seq=room.last_seq)


class Rooms(generics.ListAPIView[Room]):
    serializer_class = RoomSerializer
    pagination_class = LatestActivity

    def get_queryset(self) -> QuerySet[Room]:
        mine = Q(memberships__user=caller(self.request), memberships__left_pos=None)
        unread = Count("messages", filter=Q(messages__seq__gt=F("memberships__last_read_seq")))
        return Room.objects.filter(mine).annotate(unread_count=unread)

    def paginate_queryset(self, queryset: Any) -> Any:
        self.rooms = super().paginate_queryset(queryset)
        return self.rooms

    def get_serializer_context(self) -> dict[str, Any]:
        ids = [room.last_message_id for room in self.rooms or []]
        messages = Message.objects.select_related("sender").in_bulk(ids)
        return {**super().get_serializer_context(), "last_messages": messages}


urlpatterns = [
    path("api/v1/rooms", Rooms.as_view()),
    path("api/v1/rooms/<uuid:room>/messages", Messages.as_view()),
]
