"""The main job, end to end, by a stranger's script: on each server, and over two processes."""

from __future__ import annotations

import pytest

from tests.live import LiveServer
from tests.stranger import main_job

MESSAGES = 1000


async def test_two_people_send_a_thousand_each_and_see_all_in_order(each_server: LiveServer) -> None:
    await main_job(each_server.http, each_server.http, MESSAGES)


async def test_the_same_with_their_sockets_on_different_processes(server: LiveServer) -> None:
    """Without Redis no ring goes from one to the other: the look at the heads alone delivers."""
    other = LiveServer().start()
    try:
        await main_job(server.http, other.http, MESSAGES)
    finally:
        other.close()


def test_without_redis_a_second_process_is_refused() -> None:
    server = LiveServer(WEB_CONCURRENCY="2", REDIS_URL="")
    with pytest.raises(AssertionError, match="Set REDIS_URL, or run one process"):
        server.start()
    server.close()
