"""Request bodies and query parameters of the REST door."""

from __future__ import annotations

from rest_framework import serializers

from core.pagination import PageQuery
from core.serializers import ChoiceField, IdField, StrictSerializer, TextField
from friendships.models import FriendRequest


class RequestFriendship(StrictSerializer):
    """Whom to ask, and what to say with it."""

    user_id = IdField()
    message = TextField(max_length=300, allow_blank=True, default="")


class FriendsQuery(PageQuery):
    search = TextField(
        max_length=64, allow_blank=True, default="", help_text="The beginning of a user name or shown name."
    )
    online = serializers.BooleanField(
        required=False, help_text="Only who is here, online or away; or only who is not."
    )


class RequestsQuery(PageQuery):
    direction = ChoiceField(choices=["incoming", "outgoing"], default="incoming")
    status = ChoiceField(choices=FriendRequest.Status.values, default=FriendRequest.Status.PENDING.value)
