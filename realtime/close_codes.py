"""Why the server closes a socket, and what the client should do then (RFC 6455 §7.4 leaves 4000–4999 to us)."""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """The catalogue; the reason that goes on the wire is the name in lower case."""

    PROTOCOL_ERROR = 1002  # not WebSocket's framing: the client has a bug
    UNSUPPORTED_DATA = 1003  # a binary frame: the client has a bug
    INVALID_PAYLOAD = 1007  # bad UTF-8: the client has a bug
    MESSAGE_TOO_BIG = 1009  # the client has a bug
    SERVICE_RESTART = 1012  # reconnect with backoff, resume
    TRY_AGAIN_LATER = 1013  # reconnect with backoff, resume
    BAD_FRAMES = 4400  # stop: ten bad frames in a minute
    UNAUTHENTICATED = 4401  # log in again
    SUSPENDED = 4403  # stop
    TIMEOUT = 4408  # no `auth` in time, or heartbeats stopped: reconnect
    TOO_MANY_CONNECTIONS = 4409  # stop
    FLOODING = 4429  # wait, reconnect
    TOKEN_EXPIRED = 4440  # refresh, reconnect, resume
    SESSION_ENDED = 4441  # log in again
    SLOW_CONSUMER = 4450  # reconnect, resume

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
