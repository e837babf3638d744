"""Why the server closes a socket, and what the client should do then (RFC 6455 §7.4 leaves 4000–4999 to us)."""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """The catalogue; the reason that goes on the wire is the name in lower case."""

    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_PAYLOAD = 1007
    MESSAGE_TOO_BIG = 1009
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_FRAMES = 4400
    UNAUTHENTICATED = 4401
    SUSPENDED = 4403
    TIMEOUT = 4408
    TOO_MANY_CONNECTIONS = 4409
    FLOODING = 4429
    TOKEN_EXPIRED = 4440
    SESSION_ENDED = 4441
    SLOW_CONSUMER = 4450

    @property
    def advice(self) -> str:
        """Why, and what the client does then."""
        return _ADVICE[self]

    @property
    def reason(self) -> str:
        return self.name.lower()

    @property
    def substitute(self) -> CloseCode | None:
        """The code that has the client do the same, for servers that let applications send only 3000–4999."""
        if self >= 3000:
            return None
        reconnect = self in (self.SERVICE_RESTART, self.TRY_AGAIN_LATER)
        return CloseCode.SLOW_CONSUMER if reconnect else CloseCode.BAD_FRAMES


_ADVICE = {
    CloseCode.PROTOCOL_ERROR: "Broken framing: fix the client.",
    CloseCode.UNSUPPORTED_DATA: "A binary frame: fix the client.",
    CloseCode.INVALID_PAYLOAD: "Bad UTF-8: fix the client.",
    CloseCode.MESSAGE_TOO_BIG: "A frame over 64 KiB: fix the client.",
    CloseCode.SERVICE_RESTART: "The server restarts: reconnect with backoff, resume.",
    CloseCode.TRY_AGAIN_LATER: "The server can't serve you now: reconnect with backoff, resume.",
    CloseCode.BAD_FRAMES: "Ten bad frames in a minute: fix the client.",
    CloseCode.UNAUTHENTICATED: "A bad or missing token: log in.",
    CloseCode.SUSPENDED: "Suspended, or not verified: stop.",
    CloseCode.TIMEOUT: "No `auth` in time, or a ping without an answer: reconnect.",
    CloseCode.TOO_MANY_CONNECTIONS: "Too many sockets of one user, this is the oldest: stop.",
    CloseCode.FLOODING: "Kept flooding: wait, reconnect.",
    CloseCode.TOKEN_EXPIRED: "The token expired: refresh, reconnect, resume.",
    CloseCode.SESSION_ENDED: "The session ended: log in.",
    CloseCode.SLOW_CONSUMER: "Too slow, the buffer stayed full: reconnect, resume.",
}
