"""Uploads that break off, are forgotten or change on the way: completed, or refused with what happened."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from registry_world import Answer, Between, between
from shipworthy.errors import EnvironmentFailure, EvidenceError
from shipworthy.stores import RegistryOptions
from shipworthy.stores.oci import OciStore, open_oci
from shipworthy.stores.serve import serve


@pytest.fixture
def liar(tmp_path: Path) -> Iterator[Between]:
    with serve(tmp_path / "registry") as upstream, between(upstream) as found:
        yield found


def reached(address: str, tmp_path: Path, chunk: int) -> OciStore:
    store = open_oci(f"oci://{address}/team/spam", RegistryOptions(chunk=chunk), tmp_path / "cache")
    store.registry.ask.pause = lambda _seconds: None
    return store


def test_an_upload_goes_on_where_the_network_broke(liar: Between, tmp_path: Path) -> None:
    store, path = reached(liar.address, tmp_path, chunk=100_000), tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 4000)
    faults = ["lost on the way", "answer lost", "session lost", "busy", "out of order"]

    def drop(asked: BaseHTTPRequestHandler) -> bool:
        return asked.command == "PATCH" and faults[:1] == ["lost on the way"] and bool(faults.pop(0))

    def tamper(asked: BaseHTTPRequestHandler, answer: Answer) -> Answer | None:
        if asked.command == "PATCH" and faults and len(liar.seen) % 3 == 0:
            fault = faults.pop(0)
            return None if fault.endswith("lost") else (503, {}, b"") if fault == "busy" else (416, {}, b"")
        return answer

    liar.drop, liar.tamper = drop, tamper
    digest = store.put_file(path)
    assert faults == []
    assert store.read(digest, 2_000_000) == path.read_bytes()
    assert len(liar.paths("PATCH", "/uploads/")) <= 11 + 5  # nothing was begun anew


def test_an_upload_that_the_registry_forgot_begins_anew(liar: Between, tmp_path: Path) -> None:
    store, path = reached(liar.address, tmp_path, chunk=100_000), tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 2000)
    state = {"forget": 1}

    def tamper(asked: BaseHTTPRequestHandler, answer: Answer) -> Answer:
        if asked.command == "PATCH" and len(liar.paths("PATCH", "")) == 3 and state["forget"]:
            return 416, {}, b""
        if asked.command == "GET" and "/uploads/" in asked.path and state["forget"]:
            state["forget"] = 0
            return 404, {}, b""
        return answer

    liar.tamper = tamper
    assert store.read(store.put_file(path), 2_000_000) == path.read_bytes()
    assert len(liar.paths("POST", "/uploads/")) == 2


def test_an_upload_that_never_gets_on_is_given_up(liar: Between, tmp_path: Path) -> None:
    store, path = reached(liar.address, tmp_path, chunk=100_000), tmp_path / "large"
    path.write_bytes(bytes(300_000))
    for answer in ((202, {"Range": "0-0"}), (202, {}), (202, {"Range": "0-999999999999"})):
        liar.tamper = lambda asked, real, answer=answer: (
            (answer[0], {"Location": asked.path, **answer[1]}, b"") if asked.command == "PATCH" else real
        )
        with pytest.raises(EnvironmentFailure):
            store.put_file(path)
    liar.drop, liar.tamper = lambda asked: asked.command in {"PATCH", "PUT"}, lambda _asked, real: real
    for size in (300_000, 3):
        path.write_bytes(b"x" * size)
        with pytest.raises(EnvironmentFailure, match="cannot be reached"):
            store.put_file(path)


def test_a_file_that_changes_while_it_is_sent_is_not_kept(liar: Between, tmp_path: Path) -> None:
    store, path = reached(liar.address, tmp_path, chunk=100_000), tmp_path / "large"
    for size, method in ((300_000, "PATCH"), (1000, "POST"), (300_000, "POST")):
        path.write_bytes(b"a" * size)

        def change(asked: BaseHTTPRequestHandler, answer: Answer, size: int = size, method: str = method) -> Answer:
            if asked.command == method:
                path.write_bytes(b"b" * size)
            return answer

        liar.tamper = change
        with pytest.raises(EvidenceError, match=r"changed while|are not sha256:"):
            store.put_file(path)
    path.write_bytes(b"a" * 300_000)
    liar.tamper = lambda asked, answer: (path.write_bytes(b"a"), answer)[1] if asked.command == "POST" else answer
    with pytest.raises(EvidenceError, match="shrank"):
        store.put_file(path)
