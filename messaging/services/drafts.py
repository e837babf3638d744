"""A message that someone wants to send, and the rules of what may be in it."""

from __future__ import annotations

import hashlib
import mimetypes
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from django.conf import settings

from core.errors import FieldError, ValidationFailed
from messaging.models import File, Message

MAX_URL_LENGTH = 2048
_CLIENT_MESSAGE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# One pattern for the whole URL: urlsplit sees a host of ours in `https://evil.example%2f.cloudinary.com`
# and in `https://evil.example[v1.cloudinary.com]`, where a client may see another one.
_FILE_URL = re.compile(
    r"(?ai:https://([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::443)?)(?:[/?#][^\s\x00-\x20\x7f-\x9f\\]*)?"
)


class Draft(msgspec.Struct, kw_only=True, frozen=True):
    """A message that someone wants to send; `room` is the room's id or slug."""

    sender_id: UUID
    room: str
    content: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    reply_to: str | None = None
    forward_of: str | None = None
    client_message_id: str | None = None


def checked(draft: Draft) -> Draft | ValidationFailed:
    """The draft in its stored form, or what is wrong with it, all of it."""
    has_file = draft.file_url is not None or draft.file_id is not None
    content = wrong_content(draft.content or "", has_file=has_file or draft.forward_of is not None)
    errors = [*content, *_wrong_forward(draft), *_wrong_url(draft), *_wrong_ids(draft)]
    if errors:
        return ValidationFailed(errors=errors)
    return msgspec.structs.replace(
        draft,
        reply_to=draft.reply_to and str(UUID(draft.reply_to)),
        forward_of=draft.forward_of and str(UUID(draft.forward_of)),
        file_id=draft.file_id and str(UUID(draft.file_id)),
    )


def wrong_content(content: str, *, has_file: bool) -> Iterator[FieldError]:
    """What is wrong with a message's text, whether it is sent or takes another's place."""
    if len(content) > settings.MAX_MESSAGE_LENGTH:
        yield FieldError("content", "max_length", f"At most {settings.MAX_MESSAGE_LENGTH} characters.")
    elif not has_file and _is_blank(content):
        yield FieldError("content", "blank", "A message needs content or a file.")


def _wrong_forward(draft: Draft) -> Iterator[FieldError]:
    own = draft.content or draft.file_url is not None or draft.file_id is not None
    if draft.forward_of is not None and own:
        yield FieldError("forward_of", "exclusive", "What is forwarded brings its own content and file.")


def _is_blank(text: str) -> bool:
    """Whether nothing of `text` can be seen: blanks, controls and format characters only."""
    return all(character.isspace() or unicodedata.category(character) in ("Cc", "Cf") for character in text)


def _wrong_url(draft: Draft) -> Iterator[FieldError]:
    """The server never fetches the URL, but clients do: only https, and only hosts that hold our files."""
    url = draft.file_url
    if url is None:
        return
    if draft.file_id is not None:
        yield FieldError("file_url", "exclusive", "One of file_id and file_url.")
    match = _FILE_URL.fullmatch(url)
    host = match.group(1).lower() if match else ""
    if len(url) > MAX_URL_LENGTH:
        yield FieldError("file_url", "max_length", f"At most {MAX_URL_LENGTH} characters.")
    elif not any(host == known or host.endswith(f".{known}") for known in settings.FILE_URL_HOSTS):
        yield FieldError("file_url", "invalid", "An https URL of our file store.")


def _wrong_ids(draft: Draft) -> Iterator[FieldError]:
    if draft.client_message_id is not None and not _CLIENT_MESSAGE_ID.fullmatch(draft.client_message_id):
        yield FieldError("client_message_id", "invalid", "1 to 64 characters of A-Z a-z 0-9 . _ : -")
    for name in ("reply_to", "forward_of", "file_id"):
        value = getattr(draft, name)
        if value is not None and not _UUID.fullmatch(value):
            yield FieldError(name, "invalid", "A UUID.")


def type_of(draft: Draft, file: File | None) -> str:
    """A message's type is that of its file; of one that we don't hold, what its URL looks like."""
    if file is not None:
        guessed: str | None = file.content_type
    elif draft.file_url is None:
        return Message.Type.TEXT
    else:
        guessed, _ = mimetypes.guess_type(urlsplit(draft.file_url).path)
    kind = (guessed or "").partition("/")[0]
    return kind if kind in (Message.Type.IMAGE, Message.Type.VIDEO, Message.Type.AUDIO) else Message.Type.FILE


def body_hash(draft: Draft, room_id: UUID) -> str:
    """What two sends must share to be the same message: room and body."""
    body = [str(room_id), draft.content or "", draft.file_url, draft.file_id, draft.reply_to]
    # Not for all, so that the hashes of what was sent before there was forwarding go on being right.
    if draft.forward_of is not None:
        body.append(draft.forward_of)
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()
