"""A server of one file that behaves as the tests ask."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from disent_runner.datasets.card import PublishedFile


@dataclass
class Served:
    """What the server gives, and what it was asked for."""

    content: bytes
    port: int = 0
    knows_range: bool = True
    says_length: bool = True
    breaks_after: list[int] = field(default_factory=list)
    """Bytes of each answer, one after the other, after which the connection is closed; whole answers after that."""
    statuses: list[int] = field(default_factory=list)
    """Of the first answers, in place of the file."""
    shifts_range_by: int = 0
    content_encoding: str | None = None
    asked: list[str | None] = field(default_factory=list)
    """The range of each request."""

    def file(self, name: str = "images.bin", digest: str | None = "") -> PublishedFile:
        """The file that is served, with its hash unless there is to be another or none."""
        right = f"sha256:{hashlib.sha256(self.content).hexdigest()}"
        return PublishedFile(name, right if digest == "" else digest, f"http://127.0.0.1:{self.port}/{name}")


class Handler(BaseHTTPRequestHandler):
    served: Served

    def do_GET(self) -> None:
        served = self.served
        asked = self.headers.get("Range")
        served.asked.append(asked)
        if served.statuses:
            self.send_error(served.statuses.pop(0))
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and served.knows_range else 0
        total = len(served.content)
        if start >= total:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{total}")
            self.end_headers()
            return
        content = served.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start + served.shifts_range_by}-{total - 1}/{total}")
        if served.says_length:
            self.send_header("Content-Length", str(len(content)))
        if served.content_encoding:
            self.send_header("Content-Encoding", served.content_encoding)
        self.end_headers()
        self.wfile.write(content[: served.breaks_after.pop(0)] if served.breaks_after else content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Not in the tests' output."""


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    gives = Served(np.random.default_rng(0).bytes(300_000))
    handler = type("Handler", (Handler,), {"served": gives})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        gives.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield gives
        server.shutdown()
        thread.join()
