"""The OpenAPI document: no warnings, written down as it is, complete, and every path leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.urls import resolve
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from core.errors import CATALOGUE
from tests.live import ROOT

DOCUMENT = ROOT / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("openapi") / "openapi.yaml"
    call_command("spectacular", file=str(file), validate=True, fail_on_warn=True)
    return file.read_text()


@pytest.fixture(scope="module")
def root(fresh: str) -> dict[str, Any]:
    return dict(yaml.load(fresh, yaml.CSafeLoader))


def operations(root: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, methods in root["paths"].items()
        for method, operation in methods.items()
    }


def resolved(root: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in item:
        return item
    type_, name = item["$ref"].split("/")[-2:]
    return dict(root["components"][type_][name])


def answers(root: dict[str, Any], operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {status: resolved(root, answer) for status, answer in operation["responses"].items()}


def contents(root: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of an operation, with its media type: the request's, then the answers'."""
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for answer in answers(root, operation).values():
        yield from answer.get("content", {}).items()


def examples(root: dict[str, Any], content: dict[str, Any]) -> list[Any]:
    named = [resolved(root, example)["value"] for example in content.get("examples", {}).values()]
    return [*named, *([content["example"]] if "example" in content else [])]


def test_the_written_document_is_the_one_that_the_code_gives(fresh: str) -> None:
    assert fresh == DOCUMENT.read_text(), "Run `make swagger`."


def test_every_path_resolves(root: dict[str, Any]) -> None:
    assert len(root["paths"]) > 20
    for path in root["paths"]:
        concrete = re.sub(r"\{\w*id\}", "01a20445-d2d2-7371-bae7-5ddc3d096593", path)
        assert resolve(re.sub(r"\{\w+\}", "a-room", concrete))


def test_every_operation_has_a_summary_and_a_tag_that_is_described(root: dict[str, Any]) -> None:
    described = {tag["name"] for tag in root["tags"] if tag["description"]}
    for name, operation in operations(root).items():
        assert operation.get("summary"), name
        assert len(operation["tags"]) == 1, name
        assert set(operation["tags"]) <= described, name


def test_every_operation_has_the_errors_that_all_have(root: dict[str, Any]) -> None:
    for name, operation in operations(root).items():
        found = answers(root, operation)
        expected = {"429", "503"}
        if operation["security"] == [{"bearer": []}]:
            expected |= {"401", "403"}
        if "requestBody" in operation:
            expected |= {"400", "411", "413", "415"}
        if "{" in name:
            expected |= {"404"}
        assert expected <= set(found), name
        for status, answer in found.items():
            assert answer["description"], name
            # RFC 9110 §15.5.17: that a file ends before what is asked for is said by a header.
            if status >= "400" and status != "416":
                assert list(answer["content"]) == ["application/problem+json"], name
                codes = answer["content"]["application/problem+json"]["examples"]
                assert codes, name
                assert {str(CATALOGUE[code].status) for code in codes} == {status}, name


def test_every_answer_says_how_its_limit_stands(root: dict[str, Any]) -> None:
    for name, operation in operations(root).items():
        for status, answer in answers(root, operation).items():
            headers = {header for header in answer["headers"] if header.startswith("X-RateLimit-")}
            assert len(headers) == 4, name
            assert ("Retry-After" in answer["headers"]) is (status == "429"), name


def test_every_body_has_an_example_that_its_schema_allows(root: dict[str, Any]) -> None:
    for name, operation in operations(root).items():
        for media_type, content in contents(root, operation):
            found = examples(root, content)
            assert found, f"{name}: {media_type}"
            if media_type.endswith("json"):
                validator = Draft202012Validator({**content["schema"], "components": root["components"]})
                for example in found:
                    assert [error.message for error in validator.iter_errors(example)] == [], name


def test_whatever_brings_a_file_counts_as_an_upload(root: dict[str, Any]) -> None:
    for name, operation in operations(root).items():
        if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
            assert operation["responses"]["429"]["$ref"].endswith(".upload"), name


def test_it_is_served_as_yaml_and_as_json_to_those_who_ask(
    anonymous: APIClient, root: dict[str, Any]
) -> None:
    served = anonymous.get("/api/schema?version=%0d%0aX&lang=xx")
    assert served["Content-Type"] == "application/vnd.oai.openapi; charset=utf-8"
    assert yaml.load(served.content, yaml.CSafeLoader) == root
    for asked in (
        anonymous.get("/api/schema", HTTP_ACCEPT="application/json"),
        anonymous.get("/api/schema?format=json"),
    ):
        assert asked["Content-Type"] == "application/json"
        assert asked.json() == root


def test_it_is_made_once(anonymous: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    anonymous.get("/api/schema")
    monkeypatch.delattr("drf_spectacular.generators.SchemaGenerator.get_schema")
    assert anonymous.get("/api/schema").status_code == 200


@pytest.mark.parametrize("path", ["/swagger/index.html", "/redoc"])
def test_its_pages_work_without_any_other_host_and_without_inline_scripts(
    anonymous: APIClient, path: str
) -> None:
    page = anonymous.get(path)
    html = page.content.decode()
    assert page.status_code == 200
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert "script-src 'self';" in page["Content-Security-Policy"] + ";"
    for asset in re.findall(r'(?:src|href)="(/static/[^"]+)"', html):
        assert anonymous.get(asset).status_code == 200, asset
