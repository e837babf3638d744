"""The OpenAPI document: no warnings, written down as it is, and every path leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.urls import resolve
from rest_framework.test import APIClient

from tests.live import ROOT

DOCUMENT = ROOT / "docs" / "openapi.yaml"


@pytest.fixture
def fresh(tmp_path: Path) -> str:
    file = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(file), validate=True, fail_on_warn=True)
    return file.read_text()


def test_the_written_document_is_the_one_that_the_code_gives(fresh: str) -> None:
    assert fresh == DOCUMENT.read_text(), "Run `make swagger`."


def test_every_path_resolves_and_every_operation_has_a_summary_and_its_errors(fresh: str) -> None:
    paths = yaml.safe_load(fresh)["paths"]
    assert len(paths) > 20
    for path, operations in paths.items():
        concrete = re.sub(r"\{\w*id\}", "01a20445-d2d2-7371-bae7-5ddc3d096593", path)
        assert resolve(re.sub(r"\{\w+\}", "a-room", concrete))
        for method, operation in operations.items():
            assert operation.get("summary"), f"{method} {path}"
            assert any(code.startswith("4") for code in operation["responses"]), f"{method} {path}"


def test_swagger_works_without_any_other_host_and_without_inline_scripts(anonymous: APIClient) -> None:
    page = anonymous.get("/swagger/index.html")
    html = page.content.decode()
    assert page.status_code == 200
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert (
        "script-src" in page["Content-Security-Policy"]
        or "default-src 'self'" in (page["Content-Security-Policy"])
    )
    for asset in re.findall(r'(?:src|href)="(/static/[^"]+)"', html):
        assert anonymous.get(asset).status_code == 200, asset
