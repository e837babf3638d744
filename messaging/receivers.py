"""Answers what the apps below ask."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import Exported, erasure_asked, export_asked
from core.rows import pages
from messaging import schemas, selectors, services
from messaging.models import File, Message, Reaction, Revision
from messaging.services.erasing import PAGE
from rooms.models import Room
from rooms.signals import last_messages_asked


@receiver(last_messages_asked)
def tell_last_messages(viewer: User | None, rooms: Sequence[Room], **_: Any) -> dict[UUID, schemas.Message]:
    return selectors.last_messages(viewer, rooms)


@receiver(erasure_asked)
def erase_messages(*, user: User, erases_messages: bool, **_: Any) -> None:
    services.erase_messages(user, erases_messages=erases_messages)


@receiver(export_asked)
def tell_all(*, user: User, **_: Any) -> list[Exported]:
    mine = Message.objects.filter(sender=user)
    messages, edited = pages(mine, PAGE), pages(mine.filter(edited_at__isnull=False), PAGE)
    revisions = (list(Revision.objects.filter(message__in=page).order_by("id")) for page in edited)
    reactions = pages(Reaction.objects.filter(user=user))
    files = pages(File.objects.filter(uploader=user))
    return [
        Exported(
            "messages.jsonl",
            "What you have sent.",
            chain.from_iterable(map(schemas.exported_messages, messages)),
        ),
        Exported(
            "edits.jsonl",
            "What your messages said before you edited them.",
            chain.from_iterable(map(schemas.exported_revisions, revisions)),
        ),
        Exported(
            "reactions.jsonl",
            "How you reacted to messages.",
            chain.from_iterable(map(schemas.exported_reactions, reactions)),
        ),
        Exported(
            "files.jsonl",
            "Your files. To have one itself, ask for /api/v1/files/{id}/content.",
            chain.from_iterable(map(schemas.exported_files, files)),
        ),
    ]
