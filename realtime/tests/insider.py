"""People for tests that are not about getting in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from django.db import connections

from accounts import tokens
from accounts.models import Session, User
from django.utils import timezone
from datetime import timedelta

from tests.live import LiveServer, Person


class Insider(Person):
    """A person who is simply there: registration hashes a password, which is slow on purpose."""

    def __init__(self, server: LiveServer, name: str) -> None:
        self.server = server
        self.username = f"{name}-{uuid4().hex[:10]}"
        # In a thread, since Django lets no coroutine touch the database.
        with ThreadPoolExecutor(1) as thread:
            self.id, self.token, self.refresh = thread.submit(self._appear).result()

    def _appear(self) -> tuple[str, str, str]:
        try:
            user = User.objects.create_user(self.username, f"{self.username}@example.com")
            access, refresh, _ = tokens.issue(_session(user))
            return str(user.id), access, refresh
        finally:
            connections.close_all()

    def other_device(self) -> Insider:
        """The same person with a session of another device."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._log_in_again).result()

    def _log_in_again(self) -> Insider:
        try:
            device = object.__new__(Insider)
            device.server, device.username, device.id = self.server, self.username, self.id
            device.token, device.refresh, _ = tokens.issue(_session(User.objects.get(id=self.id)))
            return device
        finally:
            connections.close_all()


def _session(user: User) -> Session:
    ends = timezone.now() + timedelta(days=1)
    return Session.objects.create(user=user, refresh_id=uuid4(), expires_at=ends)
