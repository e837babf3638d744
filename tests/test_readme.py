"""What the README says is true: its commands, paths, code blocks and figures of speech."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.core.management import call_command
from pytest_django import Settings

from chatproject import serve
from tests.live import ROOT, LiveServer, Socket

README = (ROOT / "README.md").read_text()
BLOCKS = dict(re.findall(r"```(sh|python|js|json)\n(.*?)```", README, re.DOTALL))
SECONDS = 30


@pytest.fixture
def demo(transactional_db: None, settings: Settings) -> Iterator[LiveServer]:
    """A server as `make run` starts it, on seeded data, with the echo bot."""
    settings.DEBUG = True
    # The server has no other.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    call_command("seed", users=1, rooms=0, messages=5, verbosity=0)
    server = LiveServer(ECHO_BOT="true").start()
    yield server
    server.close()


def on(server: LiveServer, block: str) -> str:
    """A code block, pointed at the test's server."""
    return BLOCKS[block].replace("localhost:8080", f"127.0.0.1:{server.port}")


def test_the_curl_block_sends_a_message_and_reads_it_back(demo: LiveServer) -> None:
    done = subprocess.run(
        ["bash", "-euc", on(demo, "sh")], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    decoder = json.JSONDecoder()
    sent, end = decoder.raw_decode(done.stdout)
    page, _ = decoder.raw_decode(done.stdout[end:])
    assert sent["content"] == "Hello world!"
    assert sent["client_message_id"] == "first-1"
    assert sent["id"] in {message["id"] for message in page["results"]}


def test_the_python_block_gets_its_message_and_the_bots_answer(demo: LiveServer) -> None:
    program = [sys.executable, "-uc", on(demo, "python")]
    _reads_until(program, lambda line: '"is_bot":true' in line and "Hello world!" in line)


def test_the_javascript_block_gets_its_ack(demo: LiveServer, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None and os.environ.get("CI") != "true":
        pytest.skip("Node.js is not installed: the README's JavaScript was not run.")
    assert node, "Node.js is not installed, and CI=true."
    script = tmp_path / "client.mjs"
    script.write_text(on(demo, "js"))
    _reads_until([node, "--experimental-websocket", str(script)], lambda line: line.startswith("ack"))


def _reads_until(program: list[str], enough: Callable[[str], bool]) -> None:
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        killer = subprocess.Popen(["sh", "-c", f"sleep {SECONDS}; kill {process.pid}"])
        lines = []
        try:
            for line in process.stdout or ():
                lines.append(line)
                if enough(line):
                    return
        finally:
            killer.kill()
            process.kill()
    raise AssertionError("".join(lines))


def test_the_frame_is_a_frame() -> None:
    assert json.loads(BLOCKS["json"]) == {
        "type": "message",
        "data": {
            "room_id": "room-123",
            "content": "Hello world!",
            "file_url": "https://cloudinary.com/file.jpg",
        },
    }


async def test_the_frame_letter_for_letter_is_acknowledged_and_reaches_bob(demo: LiveServer) -> None:
    def token(name: str) -> str:
        login = {"login": name, "password": f"{name}-demo-2026"}
        return str(httpx.post(f"{demo.http}/api/v1/auth/login", json=login).json()["access"])

    headers = [{"Authorization": f"Bearer {token(name)}"} for name in ("alice", "bob")]
    async with (
        Socket(demo.ws, additional_headers=headers[0]) as hers,
        Socket(demo.ws, additional_headers=headers[1]) as his,
    ):
        await his.until("ready")
        await hers.raw.send(BLOCKS["json"].strip())
        ack = await hers.until("ack")
        message = await his.until("message")
    assert message["data"]["id"] == ack["data"]["message_id"]
    assert (message["data"]["room_slug"], message["data"]["content"]) == ("room-123", "Hello world!")
    assert message["data"]["file_url"] == "https://cloudinary.com/file.jpg"


def test_what_the_start_prints_is_what_the_readme_shows() -> None:
    printed = [line.strip() for line in serve.where_things_are(8080).splitlines() if line.strip()]
    for line in printed[:-1]:
        assert line in README


def test_every_address_answers(demo: LiveServer) -> None:
    for address in set(re.findall(r"http://localhost:8080(/\S*)", README)):
        path = address.rstrip('`",')
        if not path.startswith("/api/"):
            answer = httpx.get(demo.http + path, follow_redirects=True, timeout=SECONDS)
            assert answer.status_code == 200, path


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    assert {"run", "test", "lint"} <= named
    assert named <= targets


def test_every_file_that_it_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_every_variable_in_its_table_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", README, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"[A-Z_]+", row)}
    assert len(names) >= 10
    for name in names:
        assert re.search(rf"^#? ?{name}=", example, re.MULTILINE), name
