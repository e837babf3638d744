"""`manage.py finish_erasures`: takes away what is left of erased users, where a server was stopped before it had."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts import services
from core.errors import ChatError


class Command(BaseCommand):
    help = (
        "Goes on with erasures that are not through, since a server was stopped or something was away. "
        "Run it once a day; it may be stopped, and begun again, at any time."
    )

    def handle(self, **options: Any) -> None:
        finished = left = 0
        for user_id in list(services.unfinished_erasures()):
            try:
                services.finish_erasure(user_id)
            except ChatError as error:
                self.stderr.write(f"{user_id}: {error.code}")
                left += 1
            else:
                finished += 1
        self.stdout.write(self.style.SUCCESS(f"{finished} erasures finished."))
        if left:
            self.stdout.write(f"{left} left. The next run tries again.")
