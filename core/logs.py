"""Structured logs: JSON lines in production, readable ones with DEBUG.

Lines hold names, ids, counts and codes. They never hold tokens, query strings or what people
wrote; what libraries log passes through the same scrubbing.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_QUERY = re.compile(r"\?[^\s\"'\]]+")
# An invite's code, too: whoever has it comes in.
_TOKEN = re.compile(r"(?<=/invites/)[\w-]+|eyJ[\w-]+\.[\w-]+\.[\w-]*|(?i:bearer)\s+\S+|chat\.v1\.token\.\S+")


def scrub(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cut query strings and anything that looks like a token out of every text of a line."""
    for key, value in event.items():
        event[key] = _cut(value)
    return event


def _cut(value: Any) -> Any:
    match value:
        case str():
            return scrubbed(value)
        case bytes():
            return scrubbed(value.decode(errors="replace"))
        case dict():
            return {key: _cut(item) for key, item in value.items()}
        case list() | tuple():
            return [_cut(item) for item in value]
    return value


def scrubbed(text: str) -> str:
    """`text` without query strings, tokens and codes."""
    return _TOKEN.sub("[token]", _QUERY.sub("?[query]", text))


def without_traceback(record: logging.LogRecord) -> bool:
    """A filter for what libraries take for a crash and is an outage: one line tells it."""
    record.exc_info = record.exc_text = None
    return True


def logging_settings(*, json_lines: bool, level: str) -> dict[str, Any]:
    """Django's LOGGING, and structlog configured alike: one format for our lines and libraries'."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: list[Processor] = (
        [structlog.processors.format_exc_info, scrub, structlog.processors.JSONRenderer()]
        if json_lines
        else [
            scrub,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            }
        },
        "filters": {
            "without_traceback": {
                "()": "django.utils.log.CallbackFilter",
                "callback": without_traceback,
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django logs 4xx answers and our own middleware logs every request: once is enough.
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "propagate": False},
            "django.channels.server": {"level": "WARNING"},
            "daphne": {"level": "WARNING"},
            # Logs each second that Redis is away, with a traceback; it comes back by itself.
            "channels_redis.pubsub": {"level": "ERROR", "filters": ["without_traceback"]},
            "uvicorn.access": {"handlers": [], "propagate": False},
            "uvicorn.error": {"level": "WARNING"},
        },
    }
