"""What rooms reads from bodies and query strings."""

from __future__ import annotations

from rest_framework import serializers

from core.pagination import PageQuery
from core.serializers import ChoiceField, IdField, NameField, StrictSerializer, TextField
from rooms.models import Room, validate_slug

MOST_USERS = 100


class RoomQuery(PageQuery):
    """Which of my rooms."""

    type = ChoiceField(Room.Type.values, required=False)
    search = TextField(max_length=100, required=False, allow_blank=True, help_text="Part of a name.")
    unread = serializers.BooleanField(required=False, help_text="With unread messages, or without.")


class NewRoom(StrictSerializer):
    """A group to be; the caller becomes its owner."""

    name = NameField(max_length=100)
    topic = NameField(max_length=500, required=False, allow_blank=True)
    slug = TextField(
        required=False,
        allow_null=True,
        validators=[validate_slug],
        pattern="^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$",
        help_text="3 to 64 of a-z, 0-9 and hyphens; stands for the id in paths and frames.",
    )
    visibility = ChoiceField(Room.Visibility.values, required=False)
    member_ids = serializers.ListField(
        child=IdField(), max_length=MOST_USERS, required=False, allow_empty=True
    )


class NewDirectRoom(StrictSerializer):
    """The other one."""

    user_id = IdField()


class NewMembers(StrictSerializer):
    """Who is to be added."""

    user_ids = serializers.ListField(child=IdField(), min_length=1, max_length=MOST_USERS, allow_empty=False)
