"""The wire format by itself: no server, no database."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
import pytest

from core.errors import (
    ChatError,
    FieldError,
    InternalError,
    InvalidFrame,
    MalformedJSON,
    NotFound,
    RateLimited,
    UnknownField,
    ValidationFailed,
)
from realtime import protocol
from realtime.close_codes import CloseCode
from realtime.protocol import Frame, Outgoing, RefusedFrame, Request


class Part(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class Thing(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    title: Annotated[str, msgspec.Meta(max_length=5)]
    number: int = 0
    status: Literal["online", "away"] = "online"
    parts: list[Part] = []
    places: dict[str, int] = {}


def refusal(text: str) -> RefusedFrame:
    with pytest.raises(RefusedFrame) as refused:
        protocol.decode(text)
    return refused.value


def complaint(data: Any) -> ChatError:
    with pytest.raises(ChatError) as refused:
        protocol.typed(Thing, data)
    return refused.value


class TestDecode:
    def test_a_frame_is_type_id_and_data(self) -> None:
        assert protocol.decode('{"type":"a","id":"7","data":{"b":1}}') == Request("a", "7", {"b": 1})

    def test_id_and_data_may_be_left_out_or_null(self) -> None:
        assert protocol.decode('{"type":"a"}') == Request("a", None, None)
        assert protocol.decode('{"type":"a","id":null,"data":null}') == Request("a", None, None)

    def test_unknown_keys_beside_data_are_ignored(self) -> None:
        assert protocol.decode('{"type":"a","stream":"room:1","x":1}') == Request("a", None, None)

    @pytest.mark.parametrize(
        ("text", "error"), [("{", MalformedJSON), ("[]", InvalidFrame), ("{}", InvalidFrame)]
    )
    def test_what_can_not_be_read_names_no_request(self, text: str, error: type[ChatError]) -> None:
        refused = refusal(text)
        assert isinstance(refused.error, error)
        assert refused.request is None

    def test_a_bad_id_is_not_echoed_but_the_type_is(self) -> None:
        refused = refusal(json.dumps({"type": "a", "id": "i" * 65}))
        assert isinstance(refused.error, InvalidFrame)
        assert refused.request == Request("a", None, None)


class TestTyped:
    def test_data_becomes_the_struct(self) -> None:
        thing = protocol.typed(Thing, {"title": "a", "parts": [{"name": "b"}], "places": {"x": 1}})
        assert thing == Thing(title="a", parts=[Part("b")], places={"x": 1})

    @pytest.mark.parametrize("data", [None, [], "text", 1, True])
    def test_anything_but_an_object_is_an_invalid_frame(self, data: Any) -> None:
        assert isinstance(complaint(data), InvalidFrame)

    @pytest.mark.parametrize(
        ("data", "attr", "code"),
        [
            ({}, "title", "required"),
            ({"title": "a", "parts": [{"name": "b"}, {}]}, "parts.1.name", "required"),
            ({"title": 5}, "title", "invalid"),
            ({"title": None}, "title", "invalid"),
            ({"title": "123456"}, "title", "max_length"),
            ({"title": "a", "number": "1"}, "number", "invalid"),
            ({"title": "a", "number": 1.5}, "number", "invalid"),
            ({"title": "a", "number": True}, "number", "invalid"),
            ({"title": "a", "status": "gone"}, "status", "invalid_choice"),
            ({"title": "a", "parts": {}}, "parts", "invalid"),
            ({"title": "a", "parts": [5]}, "parts.0", "invalid"),
            ({"title": "a", "places": {"x": "1"}}, "places", "invalid"),
        ],
        ids=str,
    )
    def test_a_broken_rule_is_named(self, data: Any, attr: str, code: str) -> None:
        error = complaint(data)
        assert isinstance(error, ValidationFailed)
        assert [(broken.attr, broken.code) for broken in error.errors] == [(attr, code)]

    @pytest.mark.parametrize(
        ("data", "attr"),
        [
            ({"title": "a", "admin": 1}, "admin"),
            ({"title": "a", "parts": [{"name": "b", "admin": 1}]}, "parts.0.admin"),
            ({"title": "a", "two\nlines": 1}, "two\nlines"),
            ({"title": "a", "x" * 60_000: 1}, "x" * 128),
        ],
        ids=["plain", "deeper", "two lines", "60,000 characters"],
    )
    def test_an_unknown_key_is_named_at_no_more_than_a_line(self, data: Any, attr: str) -> None:
        error = complaint(data)
        assert isinstance(error, UnknownField)
        assert [(broken.attr, broken.code) for broken in error.errors] == [(attr, "unknown_field")]

    @pytest.mark.parametrize(
        "data",
        [
            {"title": "SECRET!"},
            {"title": "a", "number": "SECRET!"},
            {"title": "a", "status": "SECRET!"},
            {"title": "a", "places": {"SECRET!": "SECRET!"}},
        ],
        ids=str,
    )
    def test_no_complaint_repeats_the_value(self, data: Any) -> None:
        assert "SECRET!" not in protocol.error(complaint(data), None)


class TestEncode:
    def test_a_frame_has_only_the_keys_that_it_needs(self) -> None:
        assert protocol.encode(Frame("pong")) == '{"type":"pong"}'
        assert json.loads(protocol.encode(Frame("pong", "7", data=None))) == {
            "type": "pong",
            "id": "7",
            "data": None,
        }

    def test_an_ack_without_data_has_an_empty_object(self) -> None:
        ack = protocol.ack(Request("read", "7", {}), None)
        assert json.loads(ack) == {"type": "ack", "id": "7", "data": {}}

    def test_an_error_says_all_that_the_client_needs(self) -> None:
        refused = ValidationFailed("No.", errors=[FieldError("a.b", "invalid", "Why.")])
        request = Request("message", "7", {"client_message_id": "mine.1"})
        assert json.loads(protocol.error(refused, request)) == {
            "type": "error",
            "id": "7",
            "data": {
                "code": "validation_error",
                "detail": "No.",
                "retryable": False,
                "errors": [{"attr": "a.b", "code": "invalid", "detail": "Why."}],
                "request": {"type": "message", "client_message_id": "mine.1"},
            },
        }

    def test_an_error_without_a_request_says_so(self) -> None:
        error = json.loads(protocol.error(NotFound(), None))
        assert "id" not in error
        assert error["data"]["request"] == {"type": None}

    def test_retry_after_is_there_where_it_makes_sense(self) -> None:
        limited = json.loads(protocol.error(RateLimited(retry_after=1.5), None))["data"]
        assert (limited["code"], limited["retryable"], limited["retry_after"]) == ("rate_limited", True, 1.5)
        assert "retry_after" not in json.loads(protocol.error(InternalError(), None))["data"]

    @pytest.mark.parametrize("id_", [5, None, ["a"], "x" * 65])
    def test_an_odd_client_message_id_is_not_echoed(self, id_: Any) -> None:
        request = Request("message", None, {"client_message_id": id_})
        assert json.loads(protocol.error(NotFound(), request))["data"]["request"] == {"type": "message"}


class TestCloseCodes:
    def test_the_reason_is_the_name(self) -> None:
        assert CloseCode.SLOW_CONSUMER.reason == "slow_consumer"

    @pytest.mark.parametrize("code", CloseCode)
    def test_every_code_can_be_sent_by_every_server(self, code: CloseCode) -> None:
        """RFC 6455 §7.4.2 leaves 3000–4999 to applications, and some libraries let them send no others."""
        assert len(code.reason.encode()) <= 123
        assert 4000 <= (code.substitute or code) <= 4999


class TestOutgoing:
    """RFC 6455 §5.2: final, text, unmasked; the length in one, three or nine bytes."""

    @pytest.mark.parametrize(
        ("length", "head"),
        [
            (5, "8105"),
            (125, "817d"),
            (126, "817e007e"),
            (65_535, "817effff"),
            (65_536, "817f0000000000010000"),
        ],
    )
    def test_is_the_text_as_one_message(self, length: int, head: str) -> None:
        text = "é" + "a" * (length - 2)
        assert Outgoing(text).wire == bytes.fromhex(head) + text.encode()
        assert Outgoing(text).texts == (text,)
