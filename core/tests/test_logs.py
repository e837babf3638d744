"""What never reaches a log line."""

import io
import json
import logging

import jwt
import pytest
import structlog

from core.logs import logging_settings, scrub, scrubbed

TOKEN = jwt.encode({"sub": "alice"}, "a-key-that-is-long-enough-for-hs256!", algorithm="HS256")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET /ws?ticket=abc HTTP/1.1", "GET /ws?[query] HTTP/1.1"),
        ('"WebSocket /ws?token=a&b=c" [accepted]', '"WebSocket /ws?[query]" [accepted]'),
        ("('10.0.0.1', 1) - \"/ws?x=1\"", "('10.0.0.1', 1) - \"/ws?[query]\""),
        (f"token {TOKEN} is bad", "token [token] is bad"),
        (f"Authorization: Bearer {TOKEN}", "Authorization: [token]"),
        ("bearer abc", "[token]"),
        ("BEARER  abc def", "[token] def"),
        (f"chat.v1, chat.v1.token.{TOKEN}", "chat.v1, [token]"),
        ("POST /api/v1/invites/q8_x-Zz0/accept 200", "POST /api/v1/invites/[token]/accept 200"),
        ("DELETE /api/v1/rooms/kitchen/invites/q8_x-Zz0", "DELETE /api/v1/rooms/kitchen/invites/[token]"),
        ("no secrets here", "no secrets here"),
        ("what? nothing", "what? nothing"),
    ],
)
def test_query_strings_and_tokens_are_cut(text, clean):
    assert scrubbed(text) == clean


def test_every_text_of_a_line_is_cut():
    line = {
        "event": f"Bearer {TOKEN}",
        "path": "/ws?ticket=1",
        "status": 200,
        "nested": {"headers": [f"Bearer {TOKEN}", b"Bearer abc"]},
        "pair": ("/ws?ticket=1", 5),
    }
    assert scrub(None, "info", line) == {
        "event": "[token]",
        "path": "/ws?[query]",
        "status": 200,
        "nested": {"headers": ["[token]", "[token]"]},
        "pair": ["/ws?[query]", 5],
    }


@pytest.fixture
def lines():
    """The lines that a production process writes of the loggers `chat` and `library`."""
    stream = io.StringIO()
    formatter = logging_settings(json_lines=True, level="INFO")["formatters"]["structured"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter.pop("()")(**formatter))
    loggers = [logging.getLogger(name) for name in ("chat", "library")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel("INFO")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    for logger in loggers:
        logger.removeHandler(handler)


def test_our_lines_are_json_with_controls_escaped(lines):
    structlog.get_logger("chat").info("sent\x1b[31m", user="a\r\nb")
    (line,) = lines()
    assert (line["event"], line["user"], line["level"], line["logger"]) == (
        "sent\x1b[31m",
        "a\r\nb",
        "info",
        "chat",
    )
    assert line["timestamp"].endswith("Z")


def test_lines_of_libraries_are_cut_too(lines):
    logging.getLogger("library").warning("%s refused %s", "/ws?ticket=1", f"Bearer {TOKEN}")
    (line,) = lines()
    assert line["event"] == "/ws?[query] refused [token]"


def test_traces_are_cut_too(lines):
    def fail():
        raise RuntimeError(f"Bearer {TOKEN}")

    try:
        fail()
    except RuntimeError:
        structlog.get_logger("chat").exception("failed")
    (line,) = lines()
    assert "RuntimeError: [token]" in line["exception"]
    assert TOKEN not in json.dumps(line)
