"""The hub's pages and the reports of a workspace's runs, for a browser on this machine.

Loopback only, GET and HEAD only; nothing is written, nothing is started. What is served are the files of one site, one
page that lists runs, and of each run its reports. Who wrote those is not known: the folder may be a stranger's, so a
report has an origin of its own, from which it reads no other page, and loads and sends nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.paths import inside
from shipworthy.records import dataclass

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".sarif": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".xml": "application/xml",
    ".atom": "application/atom+xml",
}
RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}", re.ASCII)
_RUN = re.compile(rf"/runs/({RUN_ID.pattern})/([a-z.]{{1,40}})", re.ASCII)
REPORTS = frozenset(("report.html", "report.md", "report.sarif", "junit.xml", "run.json", "bom.cdx.json"))
_NAME = re.compile(r"(?:[\w%:+~()-][\w.%:+~()-]{0,200}/){0,4}[\w%:+~()-][\w.%:+~()-]{0,200}", re.ASCII)
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors 'none'"
_POLICY_OF_REPORTS = (
    "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_AT_ONCE = 64  # connections
_LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))


@dataclass(frozen=True)
class Shown:
    """What is served: the folder of a site, the folder of the runs, and what makes the page that lists them."""

    site: Path
    runs: Path
    listing: Callable[[], str]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "shipworthy", ""
    timeout = 30
    server: _Server

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with what GET would say of it."""
        self._answer(body=False)

    def log_message(self, *_args: object) -> None:
        """Nobody's requests are written down."""

    def _answer(self, *, body: bool) -> None:
        length, coded = self.headers.get("Content-Length", "0"), self.headers.get("Transfer-Encoding")
        self.close_connection = self.close_connection or bool(length.strip("0") or coded)  # a body is not read
        if _host(self.headers.get("Host", "")) not in _LOCAL:  # a page elsewhere may give its own name to this address
            self._say(403, b"this is for localhost", "text/plain; charset=utf-8", body=body)
            return
        path = unquote(self.path.partition("?")[0].partition("#")[0])
        if path == "/runs.html":
            self._say(200, self.server.shown.listing().encode("utf-8", "backslashreplace"), TYPES[".html"], body=body)
        elif (run := _RUN.fullmatch(path)) and run[2] in REPORTS:
            self._file(200, self.server.shown.runs, f"{run[1]}/{run[2]}", body=body, policy=_POLICY_OF_REPORTS)
        elif (name := path.removeprefix("/") or "index.html") and _NAME.fullmatch(name):
            self._file(200, self.server.shown.site, name, body=body)
        else:
            self._file(404, self.server.shown.site, "404.html", body=body)

    def _file(self, status: int, folder: Path, name: str, *, body: bool, policy: str = _POLICY) -> None:
        try:
            opened = _opened(inside(folder, name))
        except (OSError, UsageError):
            if status == 200:
                self._file(404, self.server.shown.site, "404.html", body=body)
            else:
                self._say(404, b"not found", "text/plain; charset=utf-8", body=body)
            return
        with opened as file:
            size = file.seek(0, 2)
            file.seek(0)
            self._head(status, TYPES.get(Path(name).suffix, "application/octet-stream"), size, policy)
            if body:
                _copy(file, self.wfile, size)

    def _say(self, status: int, text: bytes, kind: str, *, body: bool) -> None:
        self._head(status, kind, len(text))
        if body:
            self.wfile.write(text)

    def _head(self, status: int, kind: str, size: int, policy: str = _POLICY) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(size),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }.items():
            self.send_header(name, value)
        self.end_headers()


def _host(given: str) -> str:
    """The name in a Host header; nothing if there is none."""
    try:
        return (urlsplit(f"//{given}").hostname or "").lower()
    except ValueError:
        return ""


def _opened(path: Path) -> BinaryIO:
    """A file, open; what is a pipe or a device is not waited for. Raises OSError."""
    stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise FileNotFoundError(path)


def _copy(file: BinaryIO, to: BufferedIOBase, size: int) -> None:
    """As much as was promised: a report that grows meanwhile does not run into the next answer."""
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        to.write(block)
        size -= len(block)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, shown: Shown, port: int) -> None:
        self.shown = shown
        self._open: dict[socket.socket, None] = {}
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread. Of many connections the oldest ends, so that idle and slow ones keep nobody out."""
        with self._guard:
            self._open[request] = None
            oldest = next(iter(self._open)) if len(self._open) > _AT_ONCE else None
        if oldest is not None:
            self._end(oldest)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection that was answered."""
        self._end(request)
        super().shutdown_request(request)

    def _end(self, request: socket.socket) -> None:
        with self._guard:
            self._open.pop(request, None)
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)  # its thread reads the end

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away is nothing that anybody needs to be shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serving(shown: Shown, port: int = 0) -> Iterator[str]:
    """Serve while the `with` block runs; gives the address. Raises EnvironmentFailure when the port is taken."""
    try:
        server = _Server(shown, port)
    except OSError as error:
        raise EnvironmentFailure(
            f"port {port} cannot be opened: {error.strerror}", remedy="choose another one with --port"
        ) from None
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
