"""`shipworthy db`: the archives of every ecosystem, from a file and from a server on this machine."""

from __future__ import annotations

import json
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from shipworthy.checks.dependencies import _archives
from shipworthy.cli import main
from shipworthy.errors import EnvironmentFailure, UsageError


def record(number: str, *ecosystems: str, day: str = "2026-05-20") -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]
    affected = [{"package": {"ecosystem": of, "name": "openssl"}, "ranges": ranges} for of in ecosystems]
    return {"id": number, "modified": f"{day}T00:00:00Z", "affected": affected}


def archive(path: Path, *records: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as out:
        for one in records:
            out.writestr(f"{one['id']}.json", json.dumps(one))
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "shipworthy" / "advisories"


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A server with OSV's layout, and what it was asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    root = tmp_path / "mirror"
    archive(root / "PyPI" / "all.zip", record("PYSEC-1", "PyPI"))
    archive(root / "npm" / "all.zip", record("GHSA-1", "npm", day="2026-05-01"))
    archive(root / "Debian:12" / "all.zip", record("CVE-1", "Debian:12", "Debian:11"), record("CVE-2", "Debian:12"))
    archive(root / "Ubuntu:22.04:LTS" / "all.zip", record("USN-1", "Ubuntu:22.04:LTS"))
    archive(root / "Rocky Linux:9" / "all.zip", record("RLSA-2024:1", "Rocky Linux:9"))
    with ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Handler(*a, directory=str(root))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def status(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["db", "status", "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def test_update_brings_what_the_project_uses(
    tmp_path: Path, folder: Path, mirror: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url, asked = mirror
    project = tmp_path / "project"
    (project / "web" / "node_modules" / "x").mkdir(parents=True)
    (project / "web" / "package.json").write_text("{}")
    (project / "Dockerfile").write_text("FROM --platform=linux/amd64 python:3.12-slim-bookworm@sha256:00 AS build\n")
    (project / "web" / "node_modules" / "x" / "Dockerfile").write_text("FROM alpine:3.19\n")
    monkeypatch.chdir(project)
    assert main(["db", "update", "--url", url]) == 0
    assert [unquote(path) for path in asked] == ["/PyPI/all.zip", "/npm/all.zip", "/Debian:12/all.zip"]
    told = status(capsys)
    assert [(row["name"], row["records"], row["newest"]) for row in told["archives"]] == [
        ("Debian:12", 2, "2026-05-20"), ("PyPI", 1, "2026-05-20"), ("npm", 1, "2026-05-01")]  # fmt: skip
    assert (told["present"], told["newest"], told["advisories"]) == (True, "2026-05-01", 4)
    assert main(["db", "status"]) == 0
    assert "Debian:12" in capsys.readouterr().out


def test_update_brings_what_is_asked_for_and_one_failure_keeps_nothing_else_away(
    folder: Path, mirror: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url, asked = mirror
    names = ["ubuntu:22.04", "Alpine:v3.20", "Rocky Linux:9"]
    assert main(["db", "update", "--url", url, *(word for name in names for word in ("--ecosystem", name))]) != 0
    captured = capsys.readouterr()
    assert "Alpine:v3.20: the download failed: the server answered 404" in captured.err
    assert {unquote(p) for p in asked} >= {"/Ubuntu:22.04:LTS/all.zip", "/Rocky Linux:9/all.zip"}
    assert [row["name"] for row in status(capsys)["archives"]] == ["Rocky Linux:9", "Ubuntu:22.04"]


def test_one_zip_may_be_named(folder: Path, mirror: Any, capsys: pytest.CaptureFixture[str]) -> None:
    url, _ = mirror
    assert main(["db", "update", "--url", f"{url}/npm/all.zip"]) == 0
    assert main(["db", "update", "--url", f"{url}/Debian:12/all.zip", "--ecosystem", "npm"]) != 0
    assert "npm" in capsys.readouterr().err
    assert [row["name"] for row in status(capsys)["archives"]] == ["npm"]


def test_records_tell_of_which_ecosystem_an_archive_is(tmp_path: Path) -> None:
    all_releases = archive(tmp_path / "a.zip", record("C-1", "Debian:11"), record("C-2", "Debian:12"))
    assert _archives.bring(all_releases, tmp_path / "db").ecosystem == "Debian"
    one = archive(tmp_path / "b.zip", record("C-1", "Alpine:v3.19", "Alpine:v3.20"), record("C-2", "Alpine:v3.20"))
    assert _archives.bring(one, tmp_path / "db").path == tmp_path / "db/osv-scalibr/Alpine:v3.20/all.zip"
    both = archive(tmp_path / "c.zip", record("C-1", "Debian:11", "Debian:12"))
    with pytest.raises(UsageError, match="several ecosystems"):
        _archives.bring(both, tmp_path / "db")
    assert _archives.bring(both, tmp_path / "db", "debian:12").ecosystem == "Debian:12"
    with pytest.raises(EnvironmentFailure, match=r"only 0 of its 1 records are of Debian:13"):
        _archives.bring(both, tmp_path / "db", "Debian:13")
    with pytest.raises(EnvironmentFailure, match=r"none of its records is of npm"):
        _archives.bring(archive(tmp_path / "d.zip", record("P-1", "PyPI")), tmp_path / "db", "npm")
    assert not list((tmp_path / "db" / "osv-scalibr").rglob(".incoming*"))


@pytest.mark.parametrize("damage", ["cut", "garbage", "no records", "no json", "nothing"])
def test_what_is_damaged_leaves_the_old_one(tmp_path: Path, damage: str) -> None:
    good = archive(tmp_path / "good.zip", record("C-1", "Debian:12"))
    before = _archives.bring(good, tmp_path / "db")
    bad = tmp_path / "bad.zip"
    if damage == "cut":
        bad.write_bytes(good.read_bytes()[:-30])
    elif damage == "garbage":
        bad.write_bytes(b"\0" * 100)
    elif damage != "nothing":
        with zipfile.ZipFile(bad, "w") as out:
            if damage == "no json":
                out.writestr("C-1.json", '{"id": "C-1", "ecosystem": "Debian:12", "modified": "2026-01-01')
    with pytest.raises((EnvironmentFailure, UsageError)):
        _archives.bring(bad, tmp_path / "db", "Debian:12")
    assert _archives.archives(tmp_path / "db") == [before]


@pytest.mark.parametrize("name", ["", "Go", "Debian:..", "Debian:../../x", "npm:1", "Debian:", "/etc", "PyPI/../.."])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        _archives.known(name)


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("python:3.12-slim-bookworm", ("Debian:12",)),
        ("python:3.12", ("Debian",)),
        ("debian:12.5-slim", ("Debian:12",)),
        ("docker.io/library/alpine:3.20.1", ("Alpine:v3.20",)),
        ("node:20-alpine3.19", ("Alpine:v3.19",)),
        ("node:20-alpine", ("Alpine",)),
        ("ubuntu:22.04", ("Ubuntu:22.04",)),
        ("rockylinux/rockylinux:9.3", ("Rocky Linux:9",)),
        ("cgr.dev/chainguard/python:latest", ("Chainguard", "Wolfi")),
        ("scratch", ()),
        ("$BASE", ()),
        ("host:5000/x", ()),
    ],
)
def test_base_images_tell_which_advisories_they_need(reference: str, found: tuple[str, ...]) -> None:
    assert _archives.base_ecosystems(reference) == found


def test_a_pipe_among_the_files_of_a_project_does_not_stop_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Dockerfile")
    (tmp_path / "web.dockerfile").write_text("from node:20-alpine3.19\nFROM scratch\n")
    assert _archives.of_project(tmp_path) == ("PyPI", "Alpine:v3.19")
