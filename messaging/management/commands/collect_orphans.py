"""`manage.py collect_orphans`: takes away the files that no message shows."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from messaging import services

STEP = 100


class Command(BaseCommand):
    help = (
        "Deletes files that were uploaded more than a day ago and never sent, and those of deleted messages. "
        "Run it once a day; it may be stopped, and begun again, at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, **options: Any) -> None:
        if options["dry_run"]:
            self.stdout.write(f"{sum(1 for _ in services.orphans())} files would be deleted.")
            return
        deleted = left = 0
        for number, file_id in enumerate(services.orphans(), start=1):
            if services.collect_file(file_id):
                deleted += 1
            else:
                left += 1
            if number % STEP == 0:
                self.stdout.write(f"{number} files looked at, {deleted} deleted …")
        self.stdout.write(self.style.SUCCESS(f"{deleted} files deleted."))
        if left:
            self.stdout.write(
                f"{left} left: sent meanwhile, or their store does not answer. The next run tries again."
            )
