"""The AsyncAPI document: written down as it is, complete, and true of every frame that a test receives."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import jsonschema_rs
import pytest
import yaml
from django.core.management import call_command
from rest_framework.test import APIClient

from chatproject.routing import router
from chatproject.socket_document import document
from realtime.close_codes import CloseCode
from tests.documented import documented
from tests.live import ROOT
from tests.test_state_equals_events import SCENES

PROTOCOL = (ROOT / "docs/protocol.md").read_text()
MESSAGES = document()["components"]["messages"]
ASKED = {key: message for key, message in MESSAGES.items() if key.startswith("ask.")}
TOLD = {key: message for key, message in MESSAGES.items() if key not in ASKED}


def refers(item: Any) -> set[str]:
    if isinstance(item, dict):
        return {item["$ref"]} if "$ref" in item else set().union(*map(refers, item.values()), set())
    return set().union(*map(refers, item), set()) if isinstance(item, list) else set()


def test_the_written_document_is_the_one_that_the_code_gives() -> None:
    class Kept(BytesIO):
        def close(self) -> None:
            pass

    file = Kept()
    call_command("asyncapi", file=file)
    assert file.getvalue() == (ROOT / "docs/asyncapi.yaml").read_bytes(), "Run `make swagger`."
    assert yaml.load(file.getvalue(), yaml.CSafeLoader) == document()


def test_what_is_referred_to_is_there() -> None:
    for reference in refers(document()):
        found: Any = document()
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
        assert found


def test_every_frame_that_may_be_asked_is_in_it() -> None:
    asked = {message["name"] for message in ASKED.values()}
    assert asked == {"auth", "resume", "presence", "ping", *router.by_type}


def test_every_event_that_is_kept_is_in_it() -> None:
    kept = {type_ for type_, message in TOLD.items() if "pos" in message["payload"]["properties"]}
    assert kept == set(SCENES)


@pytest.mark.parametrize("name", sorted({message["name"] for message in MESSAGES.values()}))
def test_the_protocol_has_a_word_about_each(name: str) -> None:
    assert f"`{name}`" in PROTOCOL


@pytest.mark.parametrize("key", MESSAGES)
def test_each_has_a_summary_and_an_example_that_its_schema_allows(key: str) -> None:
    message = MESSAGES[key]
    assert message["summary"].endswith(".")
    schema = {**message["payload"], "components": document()["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(message["examples"][0]["payload"])


def test_a_frame_that_is_not_as_documented_is_found() -> None:
    frame = TOLD["message.deleted"]["examples"][0]["payload"]
    assert documented(frame) == frame
    for wrong in (
        {**frame, "type": "message.gone"},
        {**frame, "more": 1},
        {**frame, "stream": "user:1"},
        {**frame, "data": {**frame["data"], "more": 1}},
        {**frame, "data": {**frame["data"], "seq": "1"}},
        {key: value for key, value in frame.items() if key != "pos"},
    ):
        with pytest.raises(AssertionError):
            documented(wrong)


def test_every_close_code_is_in_it() -> None:
    told = document()["channels"]["socket"]["description"]
    assert {int(code) for code in re.findall(r"^- (\d{4}): .+\.$", told, re.MULTILINE)} == set(CloseCode)


def test_it_is_served_as_json_and_as_a_page_to_browsers(anonymous: APIClient) -> None:
    for accept in ("*/*", "application/json"):
        served = anonymous.get("/asyncapi", HTTP_ACCEPT=accept)
        assert served["Content-Type"] == "application/json"
        assert served.json() == document()
    page = anonymous.get("/asyncapi", HTTP_ACCEPT="text/html,*/*;q=0.8")
    assert page["Content-Type"] == "text/html; charset=utf-8"
    html = page.content.decode()
    assert set(re.findall(r'<h3 id="([^"]+)">', html)) == set(MESSAGES)
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(MESSAGES)
    assert "script" not in html
    assert "script-src" not in page["Content-Security-Policy"]
