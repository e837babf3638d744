"""Rooms, who is in them, who may not be, and who may come."""

from __future__ import annotations

import re
import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from core.fields import ExactCharField
from core.ids import new_id
from core.storage import avatars
from eventlog.log import room_stream
from eventlog.models import Stream

RESERVED_SLUGS = frozenset({"direct", "public"})
"""Words that have another meaning as /rooms/<word>."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
# With or without hyphens, so that no slug can ever be taken for an id.
_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


def validate_slug(slug: str) -> None:
    """The rule for slugs; they stand for a room's id in paths and frames."""
    if not _SLUG.fullmatch(slug) or _LIKE_AN_ID.fullmatch(slug):
        raise ValidationError(
            "3 to 64 of a-z, 0-9 and hyphens, no hyphen at either end, and not like a UUID.", code="slug"
        )
    if slug in RESERVED_SLUGS:
        raise ValidationError("This word is reserved.", code="reserved")


class Room(models.Model):
    """A place for messages.

    `last_seq` is the number of its messages, since they are numbered 1, 2, 3, …; it, `last_message_id`
    and `last_activity_at` are moved in the transaction that saves a message.
    """

    class Type(models.TextChoices):
        DIRECT = "direct"
        GROUP = "group"

    class Visibility(models.TextChoices):
        PRIVATE = "private"
        PUBLIC = "public"

    class History(models.TextChoices):
        """From where on those may read who join from now on: the first message, or the next one."""

        ALL = "all"
        JOINED = "joined"

    class State(models.TextChoices):
        """In a locked room admins talk and in an archived one nobody.

        A deleted room is kept for the staff alone: all memberships in it have ended, so that nobody finds it.
        """

        ACTIVE = "active"
        LOCKED = "locked"
        ARCHIVED = "archived"
        DELETED = "deleted"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = ExactCharField(max_length=64, null=True, blank=True, unique=True, validators=[validate_slug])
    type = models.CharField(max_length=8, choices=Type.choices)
    visibility = models.CharField(max_length=8, choices=Visibility.choices, default=Visibility.PRIVATE)
    name = models.CharField(max_length=100, blank=True)
    topic = models.CharField(max_length=500, blank=True)
    history = models.CharField(max_length=8, choices=History.choices, default=History.ALL)
    # A name in the store of avatars, or empty.
    avatar = models.CharField(max_length=avatars.MAX_NAME_LENGTH, blank=True, editable=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    # The row of `stream`, so that places_of reads memberships and heads in one statement.
    stream_row = models.OneToOneField(Stream, on_delete=models.PROTECT, related_name="+", editable=False)
    # `pair_key` of the two users: one direct room per pair. Null for groups, since MySQL has
    # no conditional unique constraint and unique columns take any number of nulls.
    direct_key = ExactCharField(max_length=73, null=True, unique=True, editable=False)
    member_count = models.PositiveIntegerField(default=0, editable=False)
    last_seq = models.BigIntegerField(default=0, editable=False)
    last_message_id = models.UUIDField(null=True, editable=False)
    last_activity_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # Rooms to join, newest first. Not by activity, which would have every message move the index.
            models.Index(fields=["visibility", "state", "id"], name="room_joinable"),
        ]

    def __str__(self) -> str:
        return self.name or self.slug or str(self.id)

    @property
    def stream(self) -> str:
        return room_stream(self.id)

    @property
    def is_direct(self) -> bool:
        return self.type == self.Type.DIRECT


class ActiveMemberships(models.Manager["Membership"]):
    """Memberships that go on; `Membership.objects` has the ended ones too."""

    def get_queryset(self) -> models.QuerySet[Membership]:
        return super().get_queryset().filter(left_pos=None)


class Membership(models.Model):
    """A user's part in a room, kept after it ends: `left_pos` is the last event of the room that was theirs.

    `joined_pos` is the room stream's head when it began: events from `joined_pos` + 1 on follow.
    `reads_after` is the number of the last message that the member may not read; `last_read_seq` is never
    below it, so that nothing counts as unread that can't be read. `muted_until` is the member's own, for
    notifications; `silenced_until` the admins', of who is just a member, and outlives the membership: who
    comes back is still silent.
    """

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        MEMBER = "member"

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=timezone.now)
    joined_pos = models.BigIntegerField(default=0)
    left_pos = models.BigIntegerField(null=True)
    reads_after = models.BigIntegerField(default=0)
    last_read_seq = models.BigIntegerField(default=0)
    last_delivered_seq = models.BigIntegerField(default=0)
    silenced_until = models.DateTimeField(null=True)
    muted_until = models.DateTimeField(null=True)
    pinned = models.BooleanField(default=False)

    objects = models.Manager["Membership"]()
    active = ActiveMemberships()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["room", "user"], name="one_membership_per_room_and_user")
        ]
        indexes: ClassVar[list[models.Index]] = [
            # My rooms, and the streams that a connection of mine follows.
            models.Index(fields=["user", "left_pos"], name="membership_user_active"),
            # The members of a room, in order of joining.
            models.Index(fields=["room", "left_pos", "joined_at", "id"], name="membership_room_active"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id}"

    @property
    def is_active(self) -> bool:
        return self.left_pos is None

    @property
    def may_administer(self) -> bool:
        return self.role in (self.Role.OWNER, self.Role.ADMIN)

    @property
    def is_owner(self) -> bool:
        return self.role == self.Role.OWNER

    def outranks(self, other: Membership) -> bool:
        """Whether this member may put the other one out: owners anyone else, admins who is just a member."""
        return self.is_owner or (self.may_administer and not other.may_administer)

    @property
    def is_silenced(self) -> bool:
        return self.silenced_until is not None and self.silenced_until > timezone.now()


class StandingBans(models.Manager["Ban"]):
    """Bans that hold now; `Ban.objects` has those that have run out, too."""

    def get_queryset(self) -> models.QuerySet[Ban]:
        return super().get_queryset().filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


class Ban(models.Model):
    """That a user may not come into a room: until `expires_at`, or for ever."""

    # Without an index of its own: the constraint begins with this column.
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="bans", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    expires_at = models.DateTimeField(null=True)
    banned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = models.Manager["Ban"]()
    standing = StandingBans()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            # Also finds whether a user is banned, and which of many are.
            models.UniqueConstraint(fields=["room", "user"], name="one_ban_per_room_and_user")
        ]
        indexes: ClassVar[list[models.Index]] = [
            # A room's bans, newest first.
            models.Index(fields=["room", "created_at", "id"], name="ban_room_created"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is banned from {self.room_id}"


def new_invite_code() -> str:
    """128 bits: nobody comes upon one by trying."""
    return secrets.token_urlsafe(16)


class OpenInvites(models.Manager["Invite"]):
    """Invites that let somebody in now; `Invite.objects` has those that are used up or have run out, too."""

    def get_queryset(self) -> models.QuerySet[Invite]:
        return (
            super()
            .get_queryset()
            .filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
            .filter(Q(max_uses=None) | Q(max_uses__gt=F("uses")))
        )


class Invite(models.Model):
    """Lets whoever has the code into a room: `max_uses` times, or any number; until `expires_at`, or for ever."""

    code = ExactCharField(max_length=32, unique=True, default=new_invite_code, editable=False)
    # Without an index of its own: the one in Meta begins with this column.
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="invites", db_index=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    max_uses = models.PositiveIntegerField(null=True)
    uses = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = models.Manager["Invite"]()
    open = OpenInvites()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # A room's invites, newest first.
            models.Index(fields=["room", "created_at", "id"], name="invite_room_created"),
        ]

    def __str__(self) -> str:
        return f"to {self.room_id}, used {self.uses} times"
