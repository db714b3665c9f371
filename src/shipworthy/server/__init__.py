"""The hub's pages and the reports of a workspace's runs, for a browser on this machine.

Loopback only, GET and HEAD only; nothing is written, nothing is started. What is served are the files of one site, one
page that lists runs, and of each run the reports that Shipworthy wrote.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO
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
_RUN = re.compile(r"/runs/(\d{8}T\d{6}Z-[0-9a-f]{6})/([a-z.]{1,40})")
_REPORTS = frozenset(("report.html", "report.md", "report.sarif", "junit.xml", "run.json", "bom.cdx.json"))
_NAME = re.compile(r"(?:[\w%:+~()-][\w.%:+~()-]{0,200}/){0,4}[\w%:+~()-][\w.%:+~()-]{0,200}", re.ASCII)
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
        self.close_connection = self.close_connection or bool(self.headers.get("Content-Length", "0").strip("0"))
        host = (urlsplit(f"//{self.headers.get('Host', '')}").hostname or "").lower()
        if host not in _LOCAL:  # a page elsewhere may give a name of its own to this address
            self._say(403, b"this is for localhost", "text/plain; charset=utf-8", body=body)
            return
        path = unquote(self.path.partition("?")[0].partition("#")[0])
        if path == "/runs.html":
            self._say(200, self.server.shown.listing().encode("utf-8", "backslashreplace"), TYPES[".html"], body=body)
        elif (run := _RUN.fullmatch(path)) and run[2] in _REPORTS:
            self._file(200, self.server.shown.runs, f"{run[1]}/{run[2]}", body=body)
        elif (name := path.removeprefix("/") or "index.html") and _NAME.fullmatch(name):
            self._file(200, self.server.shown.site, name, body=body)
        else:
            self._file(404, self.server.shown.site, "404.html", body=body)

    def _file(self, status: int, folder: Path, name: str, *, body: bool) -> None:
        try:
            opened = inside(folder, name).open("rb")
        except (OSError, UsageError):
            if status == 200:
                self._file(404, self.server.shown.site, "404.html", body=body)
            else:
                self._say(404, b"not found", "text/plain; charset=utf-8", body=body)
            return
        with opened as file:
            size = file.seek(0, 2)
            file.seek(0)
            self._head(status, TYPES.get(Path(name).suffix, "application/octet-stream"), size)
            if body:
                _copy(file, self.wfile, size)

    def _say(self, status: int, text: bytes, kind: str, *, body: bool) -> None:
        self._head(status, kind, len(text))
        if body:
            self.wfile.write(text)

    def _head(self, status: int, kind: str, size: int) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(size),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }.items():
            self.send_header(name, value)
        self.end_headers()


def _copy(file: BinaryIO, to: BufferedIOBase, size: int) -> None:
    """As much as was promised: a report that grows meanwhile does not run into the next answer."""
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        to.write(block)
        size -= len(block)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, shown: Shown, port: int) -> None:
        self.shown = shown
        super().__init__(("127.0.0.1", port), _Handler)

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
