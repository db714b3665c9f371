"""Services on this machine's loopback for the known-bad samples of checks."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from shipworthy.checks.services._service import ServiceInfo
from shipworthy.model import Artifact, Kind

Reply = tuple[int, Mapping[str, str], bytes]
Answerer = Callable[[str, str, Mapping[str, str], bytes], Reply]


def standing(answer: Answerer, **info: Any) -> Callable[[Path], AbstractContextManager[tuple[Artifact, ...]]]:
    """For `Canary(standing=...)`: a service that answers (method, target, headers, body) with (status, headers, body).
    `info` are fields of its description."""

    @contextlib.contextmanager
    def stand(folder: Path) -> Iterator[tuple[Artifact, ...]]:
        with serving(answer) as port:
            description = ServiceInfo(f"http://127.0.0.1:{port}", **info)
            description.write(folder)
            yield (Artifact("service", Kind.SERVICE, "sha256:" + "0" * 64, 0, path=folder),)

    return stand


@contextlib.contextmanager
def serving(answer: Answerer) -> Iterator[int]:
    """A server on a free port of the loopback address, for as long as it is entered; gives the port."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer  # here: only for samples

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version, timeout = "sample", "", 10

        def _any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            status, headers, body = answer(self.command, self.path, dict(self.headers), self.rfile.read(size))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A sample has no log."""

    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"):
        setattr(Handler, f"do_{method}", Handler._any)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
