"""The small registry: other clients push to it and pull from it, and it keeps nothing under a wrong digest."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import struct
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry_world import image
from shipworthy.evidence.digest import sha256_bytes
from shipworthy.stores.serve import serve

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with serve(tmp_path / "registry") as found:
        yield found


def ask(
    address: str, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.msg, answer.read()
    finally:
        connection.close()


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed (Debian package skopeo)")
def test_another_client_pushes_and_pulls(address: str, tmp_path: Path) -> None:
    digest = image(tmp_path / "layout")
    skopeo = ["skopeo", "--tmpdir", str(tmp_path), "--insecure-policy", "copy", "--preserve-digests"]
    there = f"docker://{address}/team/spam:1"
    push = [*skopeo, "--dest-tls-verify=false", f"oci:{tmp_path / 'layout'}", there]
    subprocess.run(push, check=True, capture_output=True)
    pull = [*skopeo, "--src-tls-verify=false", there, f"oci:{tmp_path / 'pulled'}:1"]
    subprocess.run(pull, check=True, capture_output=True)
    assert json.loads((tmp_path / "pulled" / "index.json").read_text())["manifests"][0]["digest"] == digest


def test_bytes_that_are_not_their_digest_are_refused(address: str, tmp_path: Path) -> None:
    for named in (sha256_bytes(b"other"), "sha256:0", "", "sha512:" + "0" * 128):
        _, headers, _ = ask(address, "POST", "/v2/x/blobs/uploads/")
        status, _, body = ask(address, "PUT", f"{headers['Location']}?digest={named}", b"hello")
        assert (status, json.loads(body)["errors"][0]["code"]) == (400, "DIGEST_INVALID")
    assert ask(address, "PUT", f"/v2/x/manifests/{sha256_bytes(b'{}')}", b"{ }")[0] == 400
    assert ask(address, "GET", f"/v2/x/blobs/{sha256_bytes(b'hello')}")[0] == 404
    assert not list((tmp_path / "registry" / "uploads").iterdir())


def test_a_manifest_whose_blobs_are_not_there_is_refused(address: str) -> None:
    config = {"mediaType": "x", "digest": sha256_bytes(b"nothing"), "size": 7}
    whole = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}).encode()
    status, _, body = ask(address, "PUT", "/v2/x/manifests/1", whole)
    assert (status, json.loads(body)["errors"][0]["code"]) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert ask(address, "GET", "/v2/x/manifests/1")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/../../etc/blobs/x", 404),
        ("GET", "/v2/a/../b/tags/list", 404),
        ("PUT", "/v2/x/manifests/..", 400),
        ("GET", "/v2/x/blobs/sha256:..", 404),
        ("GET", "/v2/x/blobs/uploads/..", 404),
        ("PATCH", "/v2/x/blobs/uploads/" + "0" * 32, 404),
        ("DELETE", "/v2/x/manifests/1", 405),
        ("GET", "/v2/x/tags/list?n=x", 404),
        ("GET", "/elsewhere", 404),
        ("PUT", "/v2/x/manifests/1", 400),
    ],
)
def test_what_makes_no_sense_is_refused(method: str, path: str, status: int, address: str) -> None:
    assert ask(address, method, path, b"[]" if method == "PUT" else b"")[0] == status


def test_only_this_machine_is_served(address: str) -> None:
    assert address.startswith("127.0.0.1:")
    assert ask(address, "GET", "/v2/", Host=address)[0] == 200
    assert ask(address, "GET", "/v2/", Host="evil.example.org")[0] == 403  # a page that rebound its name


def test_a_client_that_goes_away_is_not_shown_to_anybody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with serve(tmp_path) as where:
        address = (where.partition(":")[0], int(where.partition(":")[2]))
        for begun in (b"", b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            wire = socket.create_connection(address, 5)
            wire.sendall(begun)
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets
            wire.close()
        time.sleep(0.3)
        with urllib.request.urlopen(f"http://{where}/v2/", timeout=5) as answer:
            assert answer.status == 200
    assert capfd.readouterr() == ("", "")
