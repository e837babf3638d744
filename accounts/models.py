"""Users and their sessions."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from core.fields import ExactCharField
from core.ids import new_id
from core.storage import avatars
from core.text import comparison_key, has_control_characters

_USERNAME = re.compile(r"[\w.-]+")
_USERNAME_KEY_LENGTH, _EMAIL_KEY_LENGTH, _DISPLAY_NAME_KEY_LENGTH = 96, 254, 192


def validate_username(name: str) -> None:
    """From 3 to 32 letters of any script, digits and `._-`; its comparison key too, which may be the longer one."""
    key = comparison_key(name)
    if min(len(name), len(key)) < 3:
        raise ValidationError("A user name has at least 3 characters.", code="min_length")
    if len(name) > 32 or len(key) > _USERNAME_KEY_LENGTH:
        raise ValidationError("A user name has at most 32 characters.", code="max_length")
    if not (_USERNAME.fullmatch(name) and _USERNAME.fullmatch(key)):
        raise ValidationError("A user name is made of letters, digits, '.', '_' and '-'.", code="invalid")


def validate_email_key(email: str) -> None:
    """What EmailValidator lets through: control characters in quotes, and a comparison key beyond its column."""
    if has_control_characters(email):
        raise ValidationError("Control characters are not allowed here.", code="control_characters")
    if len(comparison_key(email)) > _EMAIL_KEY_LENGTH:
        raise ValidationError("An e-mail address has at most 254 characters.", code="max_length")


class UserManager(BaseUserManager["User"]):
    """Makes users; Django's `createsuperuser` calls it."""

    def create_user(self, username: str, email: str, password: str | None = None, **fields: Any) -> User:
        """Saves a user; without a password nobody can log in as it. No events, no checks."""
        user = self.model(username=username, email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, email: str, password: str, **fields: Any) -> User:
        return self.create_user(username, email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username_key=comparison_key(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """Someone with an account.

    `username_key` and `email_key` are what is unique: names that differ only by case, width or
    outer blanks are the same name on every database.
    """

    class Audience(models.TextChoices):
        """Whom a user lets see or do something, of those who may at all."""

        EVERYONE = "everyone"
        FRIENDS = "friends"
        NOBODY = "nobody"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=32, validators=[validate_username])
    # Login by name, and user search by prefix.
    username_key = ExactCharField(max_length=_USERNAME_KEY_LENGTH, unique=True, editable=False)
    email = models.EmailField(max_length=254, validators=[validate_email_key])
    # Login by address.
    email_key = ExactCharField(max_length=_EMAIL_KEY_LENGTH, unique=True, editable=False)
    email_verified = models.BooleanField(default=False)
    display_name = models.CharField(max_length=64, blank=True)
    # User search by prefix of the shown name.
    display_name_key = ExactCharField(max_length=_DISPLAY_NAME_KEY_LENGTH, db_index=True, editable=False)
    bio = models.CharField(max_length=500, blank=True)
    # A name in the store of avatars, or empty.
    avatar = models.CharField(max_length=avatars.MAX_NAME_LENGTH, blank=True, editable=False)
    is_bot = models.BooleanField(default=False)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    # What clients get as `settings`: who sees whether the user is here; whether others see how far they have read, and
    # they how far others have; who may open a direct room with them, and who add them to a group: everyone or friends.
    last_seen = models.CharField(max_length=8, choices=Audience, default=Audience.EVERYONE)
    read_receipts = models.BooleanField(default=True)
    messages_from = models.CharField(max_length=8, choices=Audience, default=Audience.EVERYONE)
    invites_from = models.CharField(max_length=8, choices=Audience, default=Audience.EVERYONE)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(null=True, editable=False)
    # Since when nobody is behind this account any more: what is left of it is a card for what it said.
    erased_at = models.DateTimeField(null=True, editable=False)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    objects = UserManager()

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keeps the comparison keys in step with the names."""
        self.username_key = comparison_key(self.username)
        self.email_key = comparison_key(self.email)
        # NFKC makes up to 18 characters of one; a search by prefix loses nothing by the cut.
        self.display_name_key = comparison_key(self.shown_name)[:_DISPLAY_NAME_KEY_LENGTH]
        super().save(*args, **kwargs)

    def check_password(self, raw_password: str | None) -> bool:
        """As Django's; but a renewed hash never takes the place of a password that was changed meanwhile."""

        def renew(raw_password: str | None) -> None:
            renewed = make_password(raw_password)
            if User.objects.filter(id=self.id, password=self.password).update(password=renewed):
                self.password = renewed

        return check_password(raw_password, self.password, renew)

    @property
    def shown_name(self) -> str:
        """The name for other people: the display name, else the user name."""
        return self.display_name or self.username

    def shows_reading_to(self, viewer: User) -> bool:
        """Whether the viewer sees how far this user has read: who keeps that to themselves sees it of nobody else."""
        return self == viewer or (self.read_receipts and viewer.read_receipts)


class OneTimeCode(models.Model):
    """A code that was mailed to a user, who proves by it that the address is theirs. One of each purpose, good once."""

    class Purpose(models.TextChoices):
        VERIFY = "verify"
        RESET = "reset"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="codes")
    purpose = models.CharField(max_length=8, choices=Purpose)
    code_hash = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            # Also finds it.
            models.UniqueConstraint(fields=["user", "purpose"], name="one_code_per_user_and_purpose")
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user}"


class Erasure(models.Model):
    """What is still to be done for an account that is erased. The row goes when all of it is."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+", primary_key=True)
    erases_messages = models.BooleanField()
    # A name in the store of avatars, until it is deleted there.
    avatar = models.CharField(max_length=avatars.MAX_NAME_LENGTH, blank=True)

    def __str__(self) -> str:
        return f"of {self.user_id}"


class Session(models.Model):
    """A login on one device. Its refresh token is good once; `refresh_id` is the `jti` of the one to come.

    `spent_id` is that of the one before, and `spent_at` when it was spent: for a grace it gives the same again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    device_name = models.CharField(max_length=64, blank=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=256, blank=True)
    refresh_id = models.UUIDField()
    spent_id = models.UUIDField(null=True)
    spent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user} on {self.device_name or 'a device'}"
