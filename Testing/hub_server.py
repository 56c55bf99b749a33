"""A hub on this machine: the few answers of huggingface.co that are needed, over HTTP, and its faults."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the hub has, how it misbehaves, and what it was asked.

    Attributes:
        files: content by name, of every repository.
        stated: SHA-256 by name where the hub states another one than its content has; None for no large file.
        status: HTTP status of every answer, with `error_code` as its reason.
        breaks: after how many bytes the connection breaks, for the next answers with a file.
        ignores_ranges: a part is asked for, and all is sent.
        elsewhere: host that files are redirected to.
        requests: method, path and the headers of every request.
    """

    files: dict[str, bytes]
    stated: dict[str, str | None] = field(default_factory=dict)
    status: int = 200
    error_code: str = ""
    breaks: list[int] = field(default_factory=list)
    ignores_ranges: bool = False
    surplus: bytes = b""
    answer: bytes | None = None
    elsewhere: str | None = None
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def ranges(self) -> list[str | None]:
        """The parts of files that were asked for, in order."""
        return [
            headers.get("range") for method, path, headers in self.requests if method == "GET" and "/resolve/" in path
        ]

    def siblings(self) -> list[dict[str, Any]]:
        return [self._sibling(name, content) for name, content in self.files.items()]

    def _sibling(self, name: str, content: bytes) -> dict[str, Any]:
        sha256 = self.stated.get(name, hashlib.sha256(content).hexdigest())
        large = {"lfs": {"sha256": sha256, "size": len(content), "pointerSize": 134}} if sha256 else {}
        return {"rfilename": name, "size": len(content), "blobId": "0" * 40, **large}


class _Server(ThreadingHTTPServer):
    def handle_error(self, *address: Any) -> None:
        """A client that leaves in the middle is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*address)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Let the hub answer at a free port of this machine."""

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = _Server(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def do_HEAD(self) -> None:
        self._respond(body=False)

    def do_GET(self) -> None:
        self._respond(body=True)

    def _respond(self, body: bool) -> None:
        hub, path = self.hub, unquote(urlsplit(self.path).path)
        hub.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        if hub.status != 200:
            self._send(hub.status, b"", {"X-Error-Code": hub.error_code} if hub.error_code else {}, body)
        elif hub.answer is not None:
            self._send(200, hub.answer, {"Content-Type": "text/html"}, body)
        elif path.startswith("/api/models/"):
            repository = path.removeprefix("/api/models/").partition("/revision/")[0]
            about = {"id": repository, "sha": REVISION, "siblings": hub.siblings()}
            self._send(200, json.dumps(about).encode(), {"Content-Type": "application/json"}, body)
        elif "/resolve/" in path and (name := path.partition("/resolve/")[2].partition("/")[2]) in hub.files:
            self._file(name, body)
        else:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, body)

    def _file(self, name: str, body: bool) -> None:
        hub, content = self.hub, self.hub.files[name]
        sha256 = hashlib.sha256(content).hexdigest()
        headers = {"ETag": f'"{sha256}"', "X-Repo-Commit": REVISION, "Accept-Ranges": "bytes"}
        if hub.elsewhere is not None:
            large = {"X-Linked-ETag": f'"{sha256}"', "X-Linked-Size": str(len(content))}
            self._send(302, b"", {**headers, **large, "Location": hub.elsewhere + self.path}, body)
            return
        begin = self.headers.get("Range", "")
        if begin and not hub.ignores_ranges:
            first = int(begin.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self._send(206, content[first:], headers, body, len(content) - first)
        else:
            self._send(200, content + hub.surplus, headers, body, len(content + hub.surplus))

    def _send(self, status: int, content: bytes, headers: dict[str, str], body: bool, size: int | None = None) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content) if size is None else size))
        self.end_headers()
        if body and size is not None and self.hub.breaks:
            content = content[: self.hub.breaks.pop(0)]
            self.close_connection = True
        if body:
            self.wfile.write(content)
