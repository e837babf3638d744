"""Who asked whom to be friends, who is, and who blocks whom."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from core.fields import ExactCharField
from core.ids import new_id


class FriendRequest(models.Model):
    """One user's question to another, kept after it is answered or withdrawn."""

    class Status(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Without indexes of their own: those in Meta begin with these columns.
    from_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    message = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    # `pair_key` of the two users while pending: one pending request per pair, whoever asked. Null
    # afterwards, since MySQL has no conditional unique constraint and unique columns take any number
    # of nulls. Finds what is pending between two users, and between one and many.
    pending_key = ExactCharField(max_length=73, null=True, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # The requests that I got, by status, newest first.
            models.Index(fields=["to_user", "status", "created_at", "id"], name="friend_request_incoming"),
            # The requests that I sent, by status, newest first.
            models.Index(fields=["from_user", "status", "created_at", "id"], name="friend_request_outgoing"),
        ]

    def __str__(self) -> str:
        return f"{self.from_user_id} asks {self.to_user_id}: {self.status}"

    @property
    def is_pending(self) -> bool:
        return self.status == self.Status.PENDING


class Friendship(models.Model):
    """One side of a friendship. There are always two rows per pair, so that either side's list is one range."""

    # Without an index of its own: the constraint begins with this column.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="friendships", db_index=False
    )
    friend = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            # Also finds whether two users are friends, and which of many are friends of one.
            models.UniqueConstraint(fields=["user", "friend"], name="one_friendship_per_user_and_friend")
        ]
        indexes: ClassVar[list[models.Index]] = [
            # My friends, newest first.
            models.Index(fields=["user", "since", "id"], name="friendship_user_since"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is a friend of {self.friend_id}"


class Block(models.Model):
    """That one user wants nothing of another. Two who block each other are two rows."""

    # Without an index of its own: the constraint begins with this column.
    blocker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # Finds who has blocked a user.
    blocked = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # `pair_key` of the two users: finds blocks between two, in either direction, and of many pairs at once.
    pair_key = ExactCharField(max_length=73, db_index=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="one_block_per_blocker_and_blocked")
        ]
        indexes: ClassVar[list[models.Index]] = [
            # Whom I have blocked, newest first.
            models.Index(fields=["blocker", "created_at", "id"], name="block_blocker_created"),
        ]

    def __str__(self) -> str:
        return f"{self.blocker_id} blocks {self.blocked_id}"


def pair_key(one: UUID, other: UUID) -> str:
    """What is unique about a pair of users, in whichever order: "smaller:larger"."""
    return ":".join(sorted((str(one), str(other))))
