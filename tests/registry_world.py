"""Registries for tests: a real one (Debian's docker-registry) on loopback, and one that lies; an image to push."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import shutil
import socket
import ssl
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shipworthy.evidence.digest import sha256_bytes
from shipworthy.stores._manifests import canonical

Answer = tuple[int, dict[str, str], bytes]
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}", secret: tests}}
{more}
"""


def image(folder: Path, content: bytes = b"hello") -> str:
    """An OCI layout with an image of one layer; its manifest's digest."""
    plain, blobs = io.BytesIO(), folder / "blobs" / "sha256"
    with tarfile.open(fileobj=plain, mode="w") as archive:
        entry = tarfile.TarInfo("etc/greeting")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    blobs.mkdir(parents=True, exist_ok=True)

    def put(data: bytes, kind: str) -> dict[str, Any]:
        (blobs / hashlib.sha256(data).hexdigest()).write_bytes(data)
        return {"mediaType": kind, "digest": sha256_bytes(data), "size": len(data)}

    layer = put(gzip.compress(plain.getvalue(), mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
    rootfs = {"type": "layers", "diff_ids": [sha256_bytes(plain.getvalue())]}
    config = canonical({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/x"]}, "rootfs": rootfs})
    kind = "application/vnd.oci.image.manifest.v1+json"
    described = put(config, "application/vnd.oci.image.config.v1+json")
    made = put(canonical({"schemaVersion": 2, "mediaType": kind, "config": described, "layers": [layer]}), kind)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_bytes(canonical({"schemaVersion": 2, "manifests": [made]}))
    return str(made["digest"])


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
