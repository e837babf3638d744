"""Names that nobody else may have."""

from __future__ import annotations

from collections.abc import Collection

from django.db import IntegrityError, transaction

from accounts import selectors
from accounts.models import User
from core.errors import FieldError, ValidationFailed


def taken(user: User) -> list[FieldError]:
    """The rules that the user's names break: `unique`, where another account has them."""
    return [
        FieldError(attr, "unique", f"Another account has this {attr}.")
        for attr in selectors.taken(username=user.username, email=user.email, except_for=user.id)
    ]


def save_unique(user: User, update_fields: Collection[str] | None = None) -> None:
    """Save a user.

    Raises:
        ValidationFailed: `unique` on `username` or `email`.
    """
    try:
        with transaction.atomic():
            user.save(update_fields=update_fields)
    except IntegrityError:
        # Another request took the name after we had looked.
        if broken := taken(user):
            raise ValidationFailed(errors=broken) from None
        raise
