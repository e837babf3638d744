"""What the server knows of a user, for them to take along."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
from django.conf import settings
from django.utils import timezone

from accounts import schemas
from accounts.models import Session, User
from accounts.signals import Exported, export_asked
from core import limits
from core.errors import RateLimited
from core.limits import Limit
from core.rows import pages
from core.timestamps import rfc3339
from core.transactions import consistent_read


def export(user: User) -> IO[bytes]:
    """A zip of all that is the user's, in a temporary file: as it was at one moment, read a page at a time.

    Raises:
        RateLimited: there have been EXPORTS_PER_HOUR of late: each reads all that the user ever sent.
    """
    quota = limits.take_one(Limit("export", settings.EXPORTS_PER_HOUR, seconds=3600), str(user.id))
    if not quota.taken:
        raise RateLimited(retry_after=quota.retry_after)
    file = TemporaryFile()  # noqa: SIM115 - closed by who sends it
    try:
        with consistent_read(), ZipFile(file, "w", ZIP_DEFLATED) as archive:
            files = _files(User.objects.get(id=user.id))
            archive.writestr("README.txt", _readme(files))
            for one in files:
                _write(archive, one)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _files(user: User) -> list[Exported]:
    answers: Any = export_asked.send(sender=User, user=user)
    return [
        Exported("profile.json", "Your account.", [schemas.me(user)]),
        Exported("sessions.json", "Where you have logged in, and when.", _sessions(user)),
        *(one for _, answer in answers for one in answer),
    ]


def _sessions(user: User) -> Iterator[schemas.ExportedSession]:
    for page in pages(Session.objects.filter(user=user)):
        yield from map(schemas.exported_session, page)


def _readme(files: list[Exported]) -> str:
    width = max(len(one.name) for one in files)
    lines = [f"{one.name:{width}}  {one.about}" for one in files]
    return (
        f"What this server knew of you at {rfc3339(timezone.now())}.\n\n"
        + "\n".join(lines)
        + "\n\nA file that ends in .json is a JSON list, one that ends in .jsonl has a JSON object in each line. Text is "
        "UTF-8, times are UTC. Rooms, messages and people are named by their ids.\n"
    )


def _write(archive: ZipFile, one: Exported) -> None:
    is_list = one.name.endswith(".json")
    # Zip64, since how much it will be is not known when it begins.
    with archive.open(one.name, "w", force_zip64=True) as out:
        out.write(b"[\n" if is_list else b"")
        for number, row in enumerate(one.rows):
            if number:
                out.write(b",\n" if is_list else b"\n")
            out.write(msgspec.json.encode(row))
        out.write(b"\n]\n" if is_list else b"\n")
