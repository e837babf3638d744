"""The catalogue of errors: one class per code, the same codes over REST and on the socket.

    ChatError
    ├── 400 ValidationFailed, MalformedJSON, InvalidParameter, UnknownField
    ├── 401 NotAuthenticated, TokenInvalid, TokenExpired, SessionRevoked, InvalidCredentials
    ├── 403 Forbidden, AccountSuspended, Muted, RoomLocked, Blocked, EmailNotVerified
    ├── 404 NotFound                              ├── 405 MethodNotAllowed
    ├── 409 Conflict, AlreadyExists, AlreadyFriends, RequestExists, AlreadyMember,
    │       LastOwner, IdempotencyConflict, EditWindowClosed, NotPending
    ├── 411 LengthRequired   ├── 413 TooLarge     ├── 415 UnsupportedMediaType
    ├── 426 UpgradeRequired  ├── 429 RateLimited  ├── 500 InternalError
    ├── 502 StorageUnavailable                    ├── 503 Unavailable
    └── socket only: InvalidFrame, UnknownType, AuthRequired

Services raise these; `core.problems` turns them into problem+json and `realtime.protocol` into
`error` frames. A class's docstring is what the client reads when the raiser says nothing better.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

MAX_ERRORS = 20
"""An answer names this many broken rules at most, so that a bad body isn't answered by a larger one."""


class FieldError(msgspec.Struct, frozen=True):
    """One broken rule: where (`attr`, dotted path), which (`code`), and in words."""

    attr: str
    code: str
    detail: str


class ChatError(Exception):
    """Something the client is told; subclasses say what.

    Args:
        detail: a sentence for the client's developer. Never the offending value.
        errors: the broken rules, for errors about a body; the first MAX_ERRORS are told.
        retry_after: seconds, where the client should wait.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        retry_after: float | None = None,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.errors = list(errors[:MAX_ERRORS])
        self.retry_after = retry_after
        super().__init__(self.detail)

    @property
    def title(self) -> str:
        return self.code.replace("_", " ").capitalize()


class ValidationFailed(ChatError):
    """Something in the body breaks a rule; `errors` says what."""

    code, status = "validation_error", 400

    @classmethod
    def of(cls, attr: str, code: str, detail: str) -> ValidationFailed:
        """The error for a single broken rule."""
        return cls(detail, errors=[FieldError(attr, code, detail)])


class MalformedJSON(ChatError):
    """This is not the JSON we read: one value, unique keys, finite numbers, at most 32 levels."""

    code, status = "malformed_json", 400


class InvalidParameter(ChatError):
    """A query parameter is out of range or malformed."""

    code, status = "invalid_parameter", 400


class UnknownField(ChatError):
    """The body has a key that this operation does not know."""

    code, status = "unknown_field", 400


class NotAuthenticated(ChatError):
    """Send an access token: `Authorization: Bearer <token>`."""

    code, status = "not_authenticated", 401


class TokenInvalid(ChatError):
    """This token is not one of ours, or not of this kind."""

    code, status = "token_invalid", 401


class TokenExpired(ChatError):
    """This token has expired; refresh it."""

    code, status = "token_expired", 401


class SessionRevoked(ChatError):
    """This session has ended; log in again."""

    code, status = "session_revoked", 401


class InvalidCredentials(ChatError):
    """No account with this login and password."""

    code, status = "invalid_credentials", 401


class Forbidden(ChatError):
    """You may see this, but not do that."""

    code, status = "forbidden", 403


class AccountSuspended(ChatError):
    """This account is suspended."""

    code, status = "account_suspended", 403


class Muted(ChatError):
    """You are muted in this room."""

    code, status = "muted", 403


class RoomLocked(ChatError):
    """This room takes no messages now."""

    code, status = "room_locked", 403


class Blocked(ChatError):
    """This can't be done between the two of you."""

    code, status = "blocked", 403


class EmailNotVerified(ChatError):
    """Verify your e-mail address first."""

    code, status = "email_not_verified", 403


class NotFound(ChatError):
    """Nothing here that you may see."""

    code, status = "not_found", 404


class MethodNotAllowed(ChatError):
    """This path does not take that method."""

    code, status = "method_not_allowed", 405


class Conflict(ChatError):
    """This collides with how things stand."""

    code, status = "conflict", 409


class AlreadyExists(ChatError):
    """There is one already."""

    code, status = "already_exists", 409


class AlreadyFriends(ChatError):
    """You are friends already."""

    code, status = "already_friends", 409


class RequestExists(ChatError):
    """You have asked already; the request is pending."""

    code, status = "request_exists", 409


class AlreadyMember(ChatError):
    """Already a member of this room."""

    code, status = "already_member", 409


class LastOwner(ChatError):
    """The room would be left without an owner: make someone else owner first."""

    code, status = "last_owner", 409


class IdempotencyConflict(ChatError):
    """This client_message_id was used for another message."""

    code, status = "idempotency_conflict", 409


class EditWindowClosed(ChatError):
    """This message is too old to be edited."""

    code, status = "edit_window_closed", 409


class NotPending(ChatError):
    """This request has been answered or withdrawn already."""

    code, status = "not_pending", 409


class LengthRequired(ChatError):
    """Send a Content-Length; chunked bodies are not read."""

    code, status = "length_required", 411


class TooLarge(ChatError):
    """The body is larger than we read."""

    code, status = "too_large", 413


class UnsupportedMediaType(ChatError):
    """Send UTF-8 JSON as `application/json`, and a file as `multipart/form-data`."""

    code, status = "unsupported_media_type", 415


class UpgradeRequired(ChatError):
    """This is the WebSocket endpoint: connect with `Upgrade: websocket`."""

    code, status = "upgrade_required", 426


class RateLimited(ChatError):
    """Too many of these; wait a little."""

    code, status, retryable = "rate_limited", 429, True


class InternalError(ChatError):
    """Something broke on our side; the request id finds it in our logs."""

    code, status, retryable = "internal_error", 500, True


class StorageUnavailable(ChatError):
    """The file store does not answer."""

    code, status, retryable = "storage_unavailable", 502, True


class Unavailable(ChatError):
    """The server can't do this right now; try again."""

    code, status, retryable = "unavailable", 503, True


class InvalidFrame(ChatError):
    """A frame is a JSON object with a string `type`, and `data` that is an object."""

    code, status = "invalid_frame", 400


class UnknownType(ChatError):
    """No frame of this type."""

    code, status = "unknown_type", 400


class AuthRequired(ChatError):
    """Send an `auth` frame first."""

    code, status = "auth_required", 401


def _leaves(cls: type[ChatError]) -> list[type[ChatError]]:
    return [leaf for child in cls.__subclasses__() for leaf in (child, *_leaves(child))]


CATALOGUE: dict[str, type[ChatError]] = {cls.code: cls for cls in _leaves(ChatError)}
"""Every error by its code."""
