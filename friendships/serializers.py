"""Request bodies and query parameters of the REST door."""

from __future__ import annotations

from rest_framework import serializers

from core.pagination import PageQuery
from core.serializers import StrictSerializer, TextField
from friendships.models import FriendRequest


class RequestFriendship(StrictSerializer):
    """Whom to ask, and what to say with it."""

    user_id = serializers.UUIDField()
    message = TextField(max_length=300, allow_blank=True, default="")


class FriendsQuery(PageQuery):
    search = TextField(
        max_length=64, allow_blank=True, default="", help_text="The beginning of a user name or shown name."
    )


class RequestsQuery(PageQuery):
    direction = serializers.ChoiceField(choices=["incoming", "outgoing"], default="incoming")
    status = serializers.ChoiceField(
        choices=FriendRequest.Status.values, default=FriendRequest.Status.PENDING.value
    )
