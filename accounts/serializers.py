"""Request bodies and query parameters of the accounts API."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from rest_framework import serializers

from accounts.models import User, validate_email_key, validate_username
from core.pagination import PageQuery
from core.serializers import ChoiceField, FlagField, NameField, StrictSerializer, TextField

MAX_PASSWORD_LENGTH = 128
MAX_IDS = 100

_ID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

_USERNAME = "3 to 32 letters of any script, digits, `.`, `_` and `-`."


class RegisterBody(StrictSerializer):
    username = NameField(validators=[validate_username], help_text=_USERNAME)
    email = serializers.EmailField(max_length=254, validators=[validate_email_key])
    password = TextField(max_length=MAX_PASSWORD_LENGTH)
    display_name = NameField(max_length=64, allow_blank=True, default="")


class LoginBody(StrictSerializer):
    login = TextField(max_length=254, help_text="A user name or an e-mail address.")
    password = TextField(max_length=MAX_PASSWORD_LENGTH)
    device_name = NameField(max_length=64, allow_blank=True, default="")


class ChangePasswordBody(StrictSerializer):
    old_password = TextField(max_length=MAX_PASSWORD_LENGTH)
    new_password = TextField(max_length=MAX_PASSWORD_LENGTH)


class EmailBody(StrictSerializer):
    email = serializers.EmailField(max_length=254, validators=[validate_email_key])


class VerifyEmailBody(EmailBody):
    code = NameField(max_length=32, help_text="As it was mailed; case, blanks and the hyphen don't matter.")


class ResetPasswordBody(VerifyEmailBody):
    new_password = TextField(max_length=MAX_PASSWORD_LENGTH)


class RefreshBody(StrictSerializer):
    refresh = TextField()


_EVERYONE_OR_FRIENDS = [User.Audience.EVERYONE.value, User.Audience.FRIENDS.value]


class SettingsBody(StrictSerializer):
    """What becomes another; what is left out stays."""

    last_seen = ChoiceField(
        User.Audience.values,
        required=False,
        help_text="Which of my friends and room-mates see whether I am here. To the others I am offline.",
    )
    read_receipts = FlagField(
        required=False,
        help_text="Others see how far I have read, and I how far they have; or neither.",
    )
    messages_from = ChoiceField(
        _EVERYONE_OR_FRIENDS, required=False, help_text="Who may open a direct room with me."
    )
    invites_from = ChoiceField(_EVERYONE_OR_FRIENDS, required=False, help_text="Who may add me to a group.")


class UpdateMeBody(StrictSerializer):
    display_name = NameField(
        max_length=64, allow_blank=True, required=False, help_text="Empty: the user name is shown."
    )
    username = NameField(required=False, validators=[validate_username], help_text=_USERNAME)
    bio = TextField(max_length=500, allow_blank=True, required=False)
    settings = SettingsBody(required=False)


class EraseMeBody(StrictSerializer):
    password = TextField(max_length=MAX_PASSWORD_LENGTH)


class EraseMeQuery(StrictSerializer):
    messages = ChoiceField(
        choices=["keep", "erase"],
        default="keep",
        help_text="What becomes of my messages: they stay, of a deleted user, or are deleted.",
    )


class SearchQuery(PageQuery):
    search = NameField(
        min_length=2, max_length=64, help_text="The beginning of a user name or of a shown name."
    )


def validate_ids(text: str) -> None:
    """At most MAX_IDS UUIDs with commas between them."""
    ids = text.split(",")
    if len(ids) > MAX_IDS:
        raise ValidationError(f"At most {MAX_IDS} ids.", code="max_length")
    if not all(re.fullmatch(_ID, id_) for id_ in ids):
        raise ValidationError("UUIDs, with commas between them.", code="invalid")


class PresenceQuery(StrictSerializer):
    ids = TextField(
        validators=[validate_ids],
        pattern=f"^{_ID}(,{_ID}){{0,{MAX_IDS - 1}}}$",
        help_text=f"The users' ids, at most {MAX_IDS}, with commas between them.",
    )
