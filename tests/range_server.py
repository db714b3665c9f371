"""An HTTP server on loopback that gives ranges of files, counts what it sends, and misbehaves when told to."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Served:
    """What a test sets and sees. `before` is called with the number of each request; `version` makes the ETag."""

    folder: Path
    ranges: bool = True
    etag: bool = True
    lie: str = ""
    redirects: dict[str, str] = field(default_factory=dict)
    before: Callable[[int], None] = lambda _number: None
    port: int = 0
    sent: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    served = Served(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.requests.append((self.path, self.headers.get("Range") or ""))
            served.headers.append({key.lower(): value for key, value in self.headers.items()})
            served.before(len(served.requests))
            name = self.path.partition("?")[0].lstrip("/")
            if served.lie == "failure":
                self.answer(500, b"no")
                return
            if name in served.redirects:
                self.answer(302, b"", {"Location": served.redirects[name]})
                return
            path = served.folder / name
            if not path.is_file():
                self.answer(404, b"no")
                return
            self.file(path)

        def file(self, path: Path) -> None:
            size, when = path.stat().st_size, path.stat().st_mtime_ns
            etag = f'"{hashlib.sha256(f"{size} {when}".encode()).hexdigest()[:16]}"'
            headers = {"ETag": etag} if served.etag else {}
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
            condition = self.headers.get("If-Range")
            if not served.ranges or asked is None or (condition and condition != etag):
                self.answer(200, path.read_bytes(), headers)
                return
            low, high = int(asked[1]), min(int(asked[2]) + 1, size)
            if low >= size:
                self.answer(416, b"", {"Content-Range": f"bytes */{size}"})
                return
            with path.open("rb") as stream:
                stream.seek(low)
                data = stream.read(high - low)
            if served.lie == "range" and low:
                low, high = low + 1, high + 1
            if served.lie == "encoding":
                headers["Content-Encoding"] = "gzip"
            if served.lie == "short" and low:
                headers["Content-Length"] = str(len(data))
                data = data[: len(data) // 2]
                self.close_connection = True
            self.answer(206, data, headers | {"Content-Range": f"bytes {low}-{high - 1}/{size}"})

        def answer(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            if served.lie == "endless":
                self.endless()
                return
            if served.lie == "drip of headers":
                with suppress(OSError):
                    while True:
                        self.wfile.write(b"X")
                        time.sleep(0.02)
            for key, value in ({"Content-Length": str(len(data))} | (headers or {})).items():
                self.send_header(key, value)
            self.end_headers()
            served.sent += len(data)  # before the client has them, or a test could look too early
            if served.lie == "drip":
                with suppress(OSError):
                    for at in range(len(data)):
                        self.wfile.write(data[at : at + 1])
                        time.sleep(0.02)
                return
            self.wfile.write(data)

        def endless(self) -> None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b"10000\r\n" + bytes(65536) + b"\r\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is what tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
