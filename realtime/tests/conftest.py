"""Servers that several of these tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from realtime.tests.presence_stage import TIMING
from tests.live import LiveServer


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def brisk_server(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[LiveServer]:
    """A server of each kind with a short grace and a fast heartbeat."""
    server = LiveServer(request.param, **TIMING).start()
    yield server
    server.close()
