"""As much of Cloudinary as we use, on loopback: it checks signatures, keeps what it is given, and can fail or hang."""

from __future__ import annotations

import hashlib
import json
import re
import time
from base64 import b64encode
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Event, Thread
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from PIL import Image

CLOUD, KEY, SECRET = "loopback", "123456789", "s3cret-of-loopback"
UNSIGNED = {"file", "api_key", "signature", "resource_type", "cloud_name"}
SIGNATURE_SECONDS = 3600


class LoopbackCloudinary:
    """`kept` has what was stored, by (resource type, type, public id); `failing` is the status of every answer."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], bytes] = {}
        self.parts: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.largest_part = 0
        self.failing: int | None = None
        self.released = Event()
        self.released.set()
        handler = type("Handler", (_Handler,), {"cloud": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def prefix(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"

    @property
    def url(self) -> str:
        """As CLOUDINARY_URL takes it."""
        return f"cloudinary://{KEY}:{SECRET}@{CLOUD}?upload_prefix={self.prefix}"

    def hang(self) -> None:
        """Take requests, and answer none until the end."""
        self.released.clear()

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.released.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


class _Handler(BaseHTTPRequestHandler):
    cloud: LoopbackCloudinary
    protocol_version = "HTTP/1.1"

    def log_message(self, *line: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path).removeprefix(f"/v1_1/{CLOUD}/")
        self.cloud.requests.append(f"{self.command} {path}")
        self.cloud.released.wait(timeout=30)
        try:
            if self.cloud.failing:
                raise _Refused(self.cloud.failing, "Told to fail.")
            found = self._routed(path, dict(parse_qsl(url.query)), body)
        except _Refused as refused:
            self._send(refused.status, json.dumps({"error": {"message": refused.message}}).encode())
        else:
            status = 206 if isinstance(found, bytes) and "Range" in self.headers else 200
            self._send(status, found if isinstance(found, bytes) else json.dumps(found).encode())

    def _routed(self, path: str, query: dict[str, str], body: bytes) -> Any:
        match path.split("/", 3):
            case ["resources", resource_type, type_, public_id]:
                self._check_password()
                return self._described((resource_type, type_, public_id))
            case [resource_type, "upload"]:
                return self._upload(resource_type, self._form(body))
            case [resource_type, "destroy"]:
                form = self._form(body)
                _check_signature(form)
                key = (resource_type, form.get("type", "upload"), form["public_id"])
                return {"result": "ok" if self.cloud.kept.pop(key, None) is not None else "not found"}
            case [resource_type, "download"]:
                return self._download(resource_type, query)
        raise _Refused(404, f"Nothing at {path}.")

    def _upload(self, resource_type: str, form: dict[str, Any]) -> Any:
        _check_signature(form)
        part = form["file"]
        self.cloud.largest_part = max(self.cloud.largest_part, len(part))
        if span := self.headers.get("Content-Range"):
            upload_id = self.headers["X-Unique-Upload-Id"]
            whole = self.cloud.parts[upload_id] = self.cloud.parts.get(upload_id, b"") + part
            if len(whole) < int(span.rpartition("/")[2]):
                return {"done": False, "public_id": form["public_id"]}
            part = self.cloud.parts.pop(upload_id)
        public_id = form.get("public_id") or "/".join(
            filter(None, [form.get("folder"), f"picture_{len(self.cloud.kept)}"])
        )
        key = (resource_type, form.get("type", "upload"), public_id)
        if resource_type == "image":
            _size_of(part)
        if form.get("overwrite") not in ("0", "False", "false") or key not in self.cloud.kept:
            self.cloud.kept[key] = part
        return self._described(key)

    def _described(self, key: tuple[str, str, str]) -> dict[str, Any]:
        if key not in self.cloud.kept:
            raise _Refused(404, "Resource not found.")
        content = self.cloud.kept[key]
        described = {"public_id": key[2], "resource_type": key[0], "type": key[1], "bytes": len(content)}
        if key[0] == "image":
            described["width"], described["height"] = _size_of(content)
        if key[0] == "video":
            described["duration"] = 1.5
        return described | {"version": 1}

    def _download(self, resource_type: str, query: dict[str, str]) -> bytes:
        _check_signature(query)
        if int(query["expires_at"]) < time.time():
            raise _Refused(401, "The link has expired.")
        content = self.cloud.kept.get((resource_type, query["type"], query["public_id"]))
        if content is None:
            raise _Refused(404, "Resource not found.")
        if wanted := re.fullmatch(r"bytes=0-(\d+)", self.headers.get("Range", "")):
            return content[: int(wanted.group(1)) + 1]
        return content

    def _check_password(self) -> None:
        if self.headers.get("Authorization") != "Basic " + b64encode(f"{KEY}:{SECRET}".encode()).decode():
            raise _Refused(401, "Who are you?")

    def _form(self, body: bytes) -> dict[str, Any]:
        content_type = self.headers["Content-Type"]
        if not content_type.startswith("multipart/form-data"):
            return dict(parse_qsl(body.decode()))
        boundary = content_type.partition("boundary=")[2].encode()
        form: dict[str, Any] = {}
        for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
            head, _, value = part.partition(b"\r\n\r\n")
            (name,) = re.findall(rb'name="([^"]+)"', head)[:1]
            form[name.decode()] = value if name == b"file" else value.decode()
        return form

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        # Who has waited in vain is not there any more.
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body)


def _check_signature(form: dict[str, Any]) -> None:
    signed = "&".join(f"{k}={v}".replace("&", "%26") for k, v in sorted(form.items()) if k not in UNSIGNED)
    expected = hashlib.sha1(f"{signed}{SECRET}".encode()).hexdigest()  # noqa: S324 - theirs
    if form.get("api_key") != KEY or form.get("signature") != expected:
        raise _Refused(401, "Invalid Signature.")
    if not -60 < time.time() - int(form["timestamp"]) < SIGNATURE_SECONDS:
        raise _Refused(400, "Stale request.")


def _size_of(content: bytes) -> tuple[int, int]:
    try:
        with Image.open(BytesIO(content)) as image:
            return image.size
    except OSError:
        raise _Refused(400, "Invalid image file") from None
