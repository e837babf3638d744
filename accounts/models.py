"""Users and their sessions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone

from core.fields import ExactCharField
from core.ids import new_id
from core.text import comparison_key


class UserManager(BaseUserManager["User"]):
    """Makes users; Django's `createsuperuser` calls it."""

    def create_user(
        self, username: str, email: str, password: str | None = None, **fields: Any
    ) -> User:
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

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=32)
    # Login by name, and user search by prefix.
    username_key = ExactCharField(max_length=96, unique=True, editable=False)
    email = models.EmailField(max_length=254)
    # Login by address.
    email_key = ExactCharField(max_length=254, unique=True, editable=False)
    email_verified = models.BooleanField(default=False)
    display_name = models.CharField(max_length=64, blank=True)
    # User search by prefix of the shown name.
    display_name_key = ExactCharField(max_length=192, db_index=True, editable=False)
    bio = models.CharField(max_length=500, blank=True)
    is_bot = models.BooleanField(default=False)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    settings = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(null=True, editable=False)

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
        self.display_name_key = comparison_key(self.shown_name)
        super().save(*args, **kwargs)

    @property
    def shown_name(self) -> str:
        """The name for other people: the display name, else the user name."""
        return self.display_name or self.username


class Session(models.Model):
    """A login on one device. Its refresh token is good once; `refresh_id` is the `jti` of the one to come."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    device_name = models.CharField(max_length=64, blank=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=256, blank=True)
    refresh_id = models.UUIDField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user} on {self.device_name or 'a device'}"
