"""Asks the API what its document allows, and what it doesn't: `python -m tests.fuzz`, by `make fuzz`.

schemathesis makes the requests, as a user of a server of ours on a database of its own: SQLite, or what DATABASE_URL
names. A check of it that fails is the exit code 1, and so is a traceback in the server's log.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.files import image
from tests.live import ROOT, LiveServer, Person

ROOMS = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=20, help="requests of each kind to each operation")
    parser.add_argument("--seed", type=int, default=1, help="the same one makes the same requests")
    parser.add_argument("rest", nargs="*", help="options for schemathesis, after --")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chat-fuzz-") as directory:
        database = os.environ.get("DATABASE_URL") or f"sqlite:///{directory}/fuzz.sqlite3"
        return fuzz(database, directory, options.examples, options.seed, options.rest)


def fuzz(database: str, media: str, examples: int, seed: int, rest: list[str]) -> int:
    environment = {"DATABASE_URL": database, "DEBUG": "true", "ENV_FILE": "", "ACCESS_TOKEN_SECONDS": "86400"}
    environment |= {"MEDIA_ROOT": media, "CLOUDINARY_URL": ""}
    migrate = [sys.executable, "manage.py", "migrate", "-v", "0"]
    subprocess.run(migrate, cwd=ROOT, env={**os.environ, **environment}, check=True)
    server = LiveServer(**environment).start()
    try:
        caller = Person(server, "alice")
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file",
            "tests/schemathesis.toml",
        ]
        command += ["run", f"{server.http}/api/schema?format=json", f"--url={server.http}"]
        command += [f"--max-examples={examples}", f"--seed={seed}", *rest]
        environment |= {
            "SCHEMATHESIS_HOOKS": "tests.fuzz_hooks",
            "FUZZ_STAGE": json.dumps(stage(server, caller)),
        }
        code = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode
        if caller.call("GET", "/users/me").status_code != 200:
            print("The caller's session ended on the way: not all was asked as a user.")
            code = code or 1
        if "Traceback" in (log := server.log.read_text()):
            print("The server's log has a traceback:", log[log.index("Traceback") - 500 :][:5000], sep="\n")
            code = code or 1
        return code
    finally:
        server.close()


def stage(server: LiveServer, caller: Person) -> dict[str, object]:
    """What there is to ask for: things by the kind of their id, the caller's token, the way to others."""
    bob, charlie, dora = (Person(server, name) for name in ("bob", "charlie", "dora"))
    request = caller.call("POST", "/friends/requests", json={"user_id": bob.id}).json()
    bob.call("POST", f"/friends/requests/{request['id']}/accept")
    requests = [
        charlie.call("POST", "/friends/requests", json={"user_id": caller.id}).json()["id"],
        caller.call("POST", "/friends/requests", json={"user_id": dora.id}).json()["id"],
    ]
    rooms = [caller.group(bob, charlie, name=f"Room {number}") for number in range(ROOMS)]
    rooms.append(caller.direct_room_with(bob))
    messages = [
        caller.call("POST", f"/rooms/{room}/messages", json={"content": f"Message {number}"}).json()["id"]
        for room in rooms
        for number in range(3)
    ]
    files = [
        caller.call("POST", "/uploads", files={"file": ("cat.jpg", image())}).json()["id"] for _ in range(3)
    ]
    return {
        "url": f"{server.http}/api/v1",
        "token": caller.token,
        "ids": {
            "users": [bob.id, charlie.id, dora.id],
            "requests": requests,
            "rooms": rooms,
            "messages": messages,
            "files": files,
        },
    }


if __name__ == "__main__":
    sys.exit(main())
