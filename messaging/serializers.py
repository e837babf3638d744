"""Request bodies and parameters of the REST door. The rules of a message's text are the services'."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.pagination import PageQuery
from core.serializers import NameField, StrictSerializer, TextField, WholeNumberField

LARGEST = 2**63 - 1
_ID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


class SendMessageSerializer(StrictSerializer):
    content = TextField(
        required=False, allow_null=True, allow_blank=True, help_text="At most 4,000 characters."
    )
    file_url = TextField(required=False, allow_null=True, help_text="An https URL of the file store.")
    file_id = TextField(
        required=False, allow_null=True, pattern=_ID, help_text="An upload's id. A file is sent once."
    )
    reply_to = TextField(
        required=False, allow_null=True, pattern=_ID, help_text="A message's id, of the same room."
    )
    forward_of = TextField(
        required=False,
        allow_null=True,
        pattern=_ID,
        help_text="The id of a message that I can read, in place of content.",
    )
    client_message_id = TextField(
        required=False,
        allow_null=True,
        pattern="^[A-Za-z0-9._:-]{1,64}$",
        help_text="Makes a repeat harmless: 1–64 of A-Za-z0-9._:-",
    )


class EditMessageSerializer(StrictSerializer):
    content = TextField(allow_blank=True, help_text="At most 4,000 characters.")


class SearchQuery(PageQuery):
    q = TextField(
        max_length=1_000,
        trim_whitespace=True,
        help_text='Beginnings of words, all of them; a "phrase" in quotes.',
    )
    room_id = TextField(required=False, max_length=64, help_text="Only of this room, by its id or slug.")
    sender_id = serializers.UUIDField(required=False, help_text="Only of this user.")
    before = serializers.DateTimeField(required=False, help_text="Only what was sent before this moment.")
    after = serializers.DateTimeField(required=False, help_text="Only what was sent after this moment.")
    has_file = serializers.BooleanField(required=False, help_text="Only with a file, or only without.")


class SignUploadBody(StrictSerializer):
    filename = NameField(max_length=255)
    content_type = TextField(max_length=100, help_text="One of the types that are taken.")
    size = WholeNumberField(min_value=1, max_value=LARGEST, help_text="In bytes.")


class FileLinkQuery(StrictSerializer):
    signature = TextField(max_length=500, required=False, help_text="From a `download_url`.")


class MarkReadSerializer(StrictSerializer):
    seq = WholeNumberField(min_value=0, max_value=LARGEST)


class HistoryQuery(PageQuery):
    before = serializers.IntegerField(min_value=0, max_value=LARGEST, required=False, help_text="A seq.")
    after = serializers.IntegerField(min_value=0, max_value=LARGEST, required=False, help_text="A seq.")
    around = serializers.IntegerField(min_value=0, max_value=LARGEST, required=False, help_text="A seq.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        places = [name for name in ("before", "after", "around", "cursor") if name in attrs]
        if len(places) > 1:
            raise serializers.ValidationError(
                {places[-1]: [serializers.ErrorDetail("One of before, after, around, cursor.", "exclusive")]}
            )
        return attrs
