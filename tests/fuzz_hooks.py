"""What schemathesis is told of a stage of `tests.fuzz`: which things are there, and who asks."""

from __future__ import annotations

import json
import os
import re
from typing import Any
from uuid import uuid4

import httpx
import schemathesis

STAGE = json.loads(os.environ["FUZZ_STAGE"])
IDS = STAGE["ids"]
PATHS = {
    "/friends/requests/": {"id": IDS["requests"]},
    "/messages/{": {"message_id": IDS["messages"], "id": IDS["messages"]},
    "/users/": {"id": IDS["users"]},
    "/files/": {"file_id": IDS["files"]},
    "/uploads/": {"upload_id": IDS["files"]},
    "/": {"room_key": IDS["rooms"], "user_id": IDS["users"]},
}
BODIES = {
    "user_id": IDS["users"],
    "user_ids": IDS["users"],
    "member_ids": IDS["users"],
    "reply_to": IDS["messages"],
}
_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ENDS_SESSIONS = ("/auth/logout", "/auth/sessions", "/auth/password", "DELETE /api/v1/users/me")


def known(schema: dict[str, Any], ids: list[str]) -> None:
    """Let a schema have the ids of things that are there; where it is for one, also an id that is nobody's."""
    if "items" in schema:
        schema["items"] = {"enum": ids}
        return
    nullable = [None] if "null" in schema.get("type", ()) else []
    schema.clear()
    schema["enum"] = [*ids, str(uuid4()), *nullable]


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    # The ids in the examples are nobody's.
    raw_schema |= json.loads(re.sub(_ID, IDS["users"][0], json.dumps(raw_schema)))
    for path, operations in raw_schema["paths"].items():
        ids = next(ids for part, ids in PATHS.items() if part in path)
        for operation in operations.values():
            # A list takes no cursors but its own: the tests of pages have those that are made up.
            operation["parameters"] = [p for p in operation.get("parameters", ()) if p["name"] != "cursor"]
            for parameter in operation["parameters"]:
                if parameter["in"] == "path" and parameter["name"] in ids:
                    known(parameter["schema"], ids[parameter["name"]])
    for schema in raw_schema["components"]["schemas"].values():
        if schema.get("additionalProperties") is False:  # bodies are strict, answers are not
            for name, property_ in schema["properties"].items():
                if name in BODIES:
                    known(property_, BODIES[name])


@schemathesis.auth(refresh_interval=None)
class Caller:
    """The caller; where a request may end the session, someone whose session is for nothing else."""

    def get(self, case: schemathesis.Case, context: schemathesis.AuthContext) -> str:
        if not any(part in case.operation.label for part in ENDS_SESSIONS):
            return str(STAGE["token"])
        name = f"e{uuid4().hex[:20]}"
        body = {"username": name, "email": f"{name}@example.com", "password": "worn-out-jumpy-tutor"}
        return str(httpx.post(f"{STAGE['url']}/auth/register", json=body, timeout=30).json()["access"])

    def set(self, case: schemathesis.Case, data: str, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
