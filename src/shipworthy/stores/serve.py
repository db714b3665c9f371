"""A small OCI registry on this machine, for tests and demonstrations: no logins, loopback only, referrers API included.

OCI distribution specification 1.1: pull, push (whole and in parts, mount), tags, referrers. Nothing can be deleted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

from shipworthy.errors import EvidenceError, ShipworthyError
from shipworthy.files import write_atomically
from shipworthy.stores._manifests import (
    INDEX,
    MANIFEST_LIMIT,
    canonical,
    described,
    image_blobs,
    sha256,
    strict,
    subject,
)
from shipworthy.stores.local import LocalStore

_BLOCK = 1024 * 1024
_PATH = re.compile(r"/v2/([a-z0-9][a-z0-9._/-]{0,254})/(blobs/uploads|blobs|manifests|tags|referrers)/([\w.:-]{0,160})")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{32}")


class _Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code


class _Handler(BaseHTTPRequestHandler):
    """Requests for one registry, whose folder the server knows."""

    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_args: object) -> None:
        """Silence."""

    def _serve(self) -> None:
        self._left = int(length) if (length := self.headers.get("Content-Length", "0")).isdigit() else 0
        try:
            if "Transfer-Encoding" in self.headers:
                raise _Refused(411, "SIZE_INVALID")
            host = (urlsplit(f"//{self.headers.get('Host', '')}").hostname or "").lower()
            if host not in {
                "localhost",
                "127.0.0.1",
                "::1",
            }:  # no page of a browser is to get here by a name of its own
                raise _Refused(403, "DENIED")
            self._route()
        except _Refused as refused:
            self._answer(refused.status, canonical({"errors": [{"code": refused.code, "message": ""}]}))
        except (ShipworthyError, ValueError):
            self._answer(400, canonical({"errors": [{"code": "UNSUPPORTED", "message": ""}]}))

    def _route(self) -> None:
        url = urlsplit(self.path)
        self._query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path in {"/v2/", "/v2"}:
            self._answer(200, b"{}")
            return
        match = _PATH.fullmatch(url.path)
        if not match or any(part in {"", ".", ".."} for part in match[1].split("/")):
            raise _Refused(404, "NAME_INVALID")
        self._repository, kind, what = match[1], match[2], match[3]
        method = "get" if self.command == "HEAD" else self.command.lower()
        handle = getattr(self, f"_{method}_{kind.replace('/', '_')}", None)
        if handle is None:
            raise _Refused(405, "UNSUPPORTED")
        handle(what)

    def _answer(self, status: int, body: bytes = b"", /, **headers: str) -> None:
        if self._left:  # what was not read would be taken for the next request
            self.close_connection = True
        self._head(status, len(body), **headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, length: int, /, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _body(self, sink: BinaryIO) -> None:
        while self._left:
            block = self.rfile.read(min(_BLOCK, self._left))
            if not block:
                raise _Refused(400, "SIZE_INVALID")
            self._left -= len(block)
            sink.write(block)

    # ------------------------------------------------------------------ blobs

    def _get_blobs(self, digest: str) -> None:
        path = self.server.blobs.locate(digest) if _DIGEST.fullmatch(digest) else None
        if path is None:
            raise _Refused(404, "BLOB_UNKNOWN")
        size, start = path.stat().st_size, 0
        if match := re.fullmatch(r"bytes=(\d{1,18})-", self.headers.get("Range", "")):
            start = min(int(match[1]), size)
        more = {"Content_Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
        kind = "application/octet-stream"
        self._head(206 if start else 200, size - start, Content_Type=kind, Docker_Content_Digest=digest, **more)
        if self.command != "HEAD":
            with path.open("rb") as stream:
                stream.seek(start)
                shutil.copyfileobj(stream, self.wfile, _BLOCK)

    def _post_blobs_uploads(self, _what: str) -> None:
        mounted = self._query.get("mount", "")
        if _DIGEST.fullmatch(mounted) and self.server.blobs.locate(mounted):
            return self._answer(201, Location=f"/v2/{self._repository}/blobs/{mounted}")
        name = uuid.uuid4().hex
        self.server.upload(name).write_bytes(b"")
        return self._uploaded(202, name, 0)

    def _get_blobs_uploads(self, name: str) -> None:
        self._uploaded(204, name, self._upload(name).stat().st_size)

    def _patch_blobs_uploads(self, name: str) -> None:
        path = self._upload(name)
        start = self.headers.get("Content-Range", "").partition("-")[0]
        if start and start != str(path.stat().st_size):
            return self._uploaded(416, name, path.stat().st_size)
        with path.open("ab") as sink:
            self._body(sink)
        return self._uploaded(202, name, path.stat().st_size)

    def _put_blobs_uploads(self, name: str) -> None:
        path = self._upload(name)
        with path.open("ab") as sink:
            self._body(sink)
        digest = self._query.get("digest", "")
        try:
            if not _DIGEST.fullmatch(digest):
                raise _Refused(400, "DIGEST_INVALID")
            self.server.blobs.put_file(path, digest)
        except EvidenceError:
            raise _Refused(400, "DIGEST_INVALID") from None
        finally:
            path.unlink()
        where = f"/v2/{self._repository}/blobs/{digest}"
        self._answer(201, Location=where, Docker_Content_Digest=digest)

    def _delete_blobs_uploads(self, name: str) -> None:
        self._upload(name).unlink()
        self._answer(204)

    def _upload(self, name: str) -> Path:
        path = self.server.upload(name)
        if not _ID.fullmatch(name) or not path.is_file():
            raise _Refused(404, "BLOB_UPLOAD_UNKNOWN")
        return path

    def _uploaded(self, status: int, name: str, size: int) -> None:
        where = f"/v2/{self._repository}/blobs/uploads/{name}"
        self._answer(status, Location=where, Range=f"0-{max(0, size - 1)}", Docker_Upload_UUID=name)

    # -------------------------------------------------------------- manifests

    def _get_manifests(self, reference: str) -> None:
        place = self.server.folder(self._repository)
        if _TAG.fullmatch(reference) and (place / "tags" / reference).is_file():
            reference = (place / "tags" / reference).read_text()
        known = place / "manifests" / reference.removeprefix("sha256:")
        if not _DIGEST.fullmatch(reference) or not known.is_file():
            raise _Refused(404, "MANIFEST_UNKNOWN")
        raw = self.server.blobs.read(reference, MANIFEST_LIMIT)
        self._answer(200, raw, Content_Type=known.read_text(), Docker_Content_Digest=reference)

    def _put_manifests(self, reference: str) -> None:
        if self._left > MANIFEST_LIMIT:
            raise _Refused(413, "SIZE_INVALID")
        raw = self.rfile.read(self._left)
        self._left, digest = 0, sha256(raw)
        if not _TAG.fullmatch(reference) and reference != digest:
            raise _Refused(400, "DIGEST_INVALID")
        value, place, more = strict(raw, "a manifest"), self.server.folder(self._repository), {}
        if "manifests" not in value and not all(self.server.blobs.locate(one.digest) for one in image_blobs(raw, "")):
            raise _Refused(404, "MANIFEST_BLOB_UNKNOWN")
        about = described(raw, "a manifest")
        with self.server.lock:
            self.server.blobs.put_bytes(raw, digest)
            write_atomically(place / "manifests" / digest.removeprefix("sha256:"), about.media_type.encode())
            if "subject" in value:
                target = subject(raw, "").digest
                listed = place / "referrers" / target.removeprefix("sha256:") / digest.removeprefix("sha256:")
                write_atomically(listed, canonical(about.as_dict()))
                more["OCI_Subject"] = target
            if reference != digest:
                write_atomically(place / "tags" / reference, digest.encode())
        where = f"/v2/{self._repository}/manifests/{digest}"
        self._answer(201, Location=where, Docker_Content_Digest=digest, **more)

    def _get_tags(self, _list: str) -> None:
        place = self.server.folder(self._repository)
        if not place.is_dir():
            raise _Refused(404, "NAME_UNKNOWN")
        names = sorted(name for name in _names(place / "tags") if name > self._query.get("last", ""))
        count = int(self._query.get("n", "10000"))
        more = {}
        if len(names) > count:
            names = names[:count]
            more["Link"] = f'</v2/{self._repository}/tags/list?n={count}&last={names[-1]}>; rel="next"'
        self._answer(200, canonical({"name": self._repository, "tags": names}), **more)

    def _get_referrers(self, digest: str) -> None:
        place = self.server.folder(self._repository) / "referrers" / digest.removeprefix("sha256:")
        listed: list[Any] = []
        if _DIGEST.fullmatch(digest):
            listed = [json.loads((place / name).read_bytes()) for name in sorted(_names(place))]
        index = canonical({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed})
        self._answer(200, index, Content_Type=INDEX)


def _names(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if not name.startswith(".")] if folder.is_dir() else []


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, root: Path, port: int) -> None:
        self.root, self.blobs, self.lock = root, LocalStore(root), threading.Lock()
        (root / "uploads").mkdir(parents=True, exist_ok=True)
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away in the middle is nothing that anybody needs to be shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def folder(self, repository: str) -> Path:
        """Where a repository's tags and lists are; the `=` is in no repository's name."""
        return self.root / "repositories" / repository.replace("/", "=")

    def upload(self, name: str) -> Path:
        """Where the bytes of an upload are gathered."""
        return self.root / "uploads" / name


@contextmanager
def serve(root: Path, port: int = 0) -> Iterator[str]:
    """Serve the folder's registry while the `with` block runs: `HOST:PORT`. Raises OSError when the port is taken."""
    with _Server(root, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
