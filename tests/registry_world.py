"""A real registry (Debian's docker-registry) for tests, on loopback, with its files in a folder."""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

Answer = tuple[int, dict[str, str], bytes]
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}", secret: tests}}
{more}
"""


@contextmanager
def docker_registry(folder: Path, more: str = "") -> Iterator[str]:
    """`HOST:PORT` of a docker-registry that keeps its things under `folder`; skips the test where there is none."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed (Debian package docker-registry)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yml"
    config.write_text(CONFIG.format(root=folder / "data", port=port, more=more))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(config)], stdout=log, stderr=log)
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise AssertionError((folder / "log").read_text()[-2000:])
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


class Between:
    """A registry that lies: it stands before an honest one and may change every answer.

    `tamper(asked, answer)` gives the answer to send instead, or None when it has dealt with the connection itself
    through `asked`. `seen` are the method, the path and the `Authorization` of every request.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream, self.seen = upstream, list[tuple[str, str, str]]()
        self.tamper: Callable[[BaseHTTPRequestHandler, Answer], Answer | None] = lambda _asked, answer: answer
        self.drop: Callable[[BaseHTTPRequestHandler], bool] = lambda _asked: False  # before the honest one hears of it
        self.address = ""

    def paths(self, method: str, part: str) -> list[str]:
        return [path for asked, path, _ in self.seen if asked == method and part in path]


@contextmanager
def between(upstream: str, context: ssl.SSLContext | None = None) -> Iterator[Between]:
    """Serve such a registry on loopback, with TLS if there is a context."""
    liar = Between(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            liar.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            connection = http.client.HTTPConnection(liar.upstream)
            if liar.drop(self):
                self.close_connection = True
                return
            sent = {name: value for name, value in self.headers.items() if name not in {"Authorization"}}
            connection.request(self.command, self.path, body, {**sent, "Host": liar.upstream})
            got = connection.getresponse()
            answer: Answer | None = (got.status, dict(got.getheaders()), got.read())
            connection.close()
            answer = liar.tamper(self, answer)
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            if self.command != "HEAD" and status != 204 and "Transfer-Encoding" not in headers:
                headers["Content-Length"] = str(len(content))
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_args: object) -> None:
            pass

    with _Quiet(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        liar.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield liar
        finally:
            server.shutdown()
            thread.join()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_args: object) -> None:
        """Clients hang up on liars."""
