"""What rooms reads from bodies and query strings."""

from __future__ import annotations

from rest_framework import serializers

from core.pagination import PageQuery
from core.serializers import (
    ChoiceField,
    FlagField,
    FutureField,
    IdField,
    NameField,
    StrictSerializer,
    TextField,
    WholeNumberField,
)
from rooms.models import Membership, Room, validate_slug

MOST_USERS = 100
LONGEST_INVITE = 365 * 86_400
MOST_USES = 10_000


class RoomQuery(PageQuery):
    """Which of my rooms."""

    type = ChoiceField(Room.Type.values, required=False)
    search = TextField(max_length=100, required=False, allow_blank=True, help_text="Part of a name.")
    unread = serializers.BooleanField(required=False, help_text="With unread messages, or without.")


class PublicRoomQuery(PageQuery):
    """Which of the rooms that anyone may join."""

    search = TextField(max_length=100, default="", allow_blank=True, help_text="Part of a name.")


class _RoomBody(StrictSerializer):
    """What may be said of a group when it is made, and later."""

    topic = NameField(max_length=500, required=False, allow_blank=True)
    slug = TextField(
        required=False,
        allow_null=True,
        validators=[validate_slug],
        pattern="^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$",
        help_text="3 to 64 of a-z, 0-9 and hyphens; stands for the id in paths and frames.",
    )
    visibility = ChoiceField(Room.Visibility.values, required=False)
    history = ChoiceField(
        Room.History.values,
        required=False,
        help_text="What those may read who join from now on: everything, or what comes after that.",
    )


class NewRoom(_RoomBody):
    """A group to be; the caller becomes its owner."""

    name = NameField(max_length=100)
    member_ids = serializers.ListField(
        child=IdField(), max_length=MOST_USERS, required=False, allow_empty=True
    )


class UpdateRoom(_RoomBody):
    """What becomes another; what is left out stays."""

    name = NameField(max_length=100, required=False)
    state = ChoiceField(
        [Room.State.ACTIVE.value, Room.State.LOCKED.value, Room.State.ARCHIVED.value],
        required=False,
        help_text="Locked: admins alone write. Archived, by owners only: nobody does.",
    )


class NewDirectRoom(StrictSerializer):
    """The other one."""

    user_id = IdField()


class NewOwner(StrictSerializer):
    """Who is to own the room."""

    user_id = IdField()


class NewMembers(StrictSerializer):
    """Who is to be added."""

    user_ids = serializers.ListField(child=IdField(), min_length=1, max_length=MOST_USERS, allow_empty=False)


class UpdateMember(StrictSerializer):
    """What becomes another; what is left out stays."""

    role = ChoiceField(Membership.Role.values, required=False)
    muted_until = FutureField(
        required=False, allow_null=True, help_text="They send nothing until then; null: they may again."
    )


class UpdatePreferences(StrictSerializer):
    """What becomes another; what is left out stays."""

    muted_until = FutureField(
        required=False, allow_null=True, help_text="No notices until then; null: notices again."
    )
    pinned = FlagField(required=False)


class NewBan(StrictSerializer):
    """Why, and for how long."""

    reason = TextField(max_length=300, default="", allow_blank=True, help_text="For the other admins.")
    expires_at = FutureField(default=None, allow_null=True, help_text="Null: for ever.")


class NewInvite(StrictSerializer):
    """How long it lets others in, and how often."""

    expires_in = WholeNumberField(
        min_value=1,
        max_value=LONGEST_INVITE,
        default=None,
        allow_null=True,
        help_text="Seconds; null: for ever.",
    )
    max_uses = WholeNumberField(
        min_value=1, max_value=MOST_USES, default=None, allow_null=True, help_text="Null: any number."
    )
