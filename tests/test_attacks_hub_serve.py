"""Attacks on `shipworthy serve`, and on whoever looks at a stranger's workspace: pages of other sites, slow and many
clients, requests that are none, and a `.shipworthy/runs` that a repository brought along."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sample_runs import stopped
from shipworthy.cli.hub import load_hub
from shipworthy.cli.runs import newest_runs
from shipworthy.cli.serve import listing
from shipworthy.engine.runner import runs_folder
from shipworthy.model.serial import run_to_dict
from shipworthy.reports import write_all
from shipworthy.server import Shown, serving
from shipworthy.site import Given

RUN, OTHER = "20260102T030405Z-0a1b2c", "20260102T030406Z-0a1b2c"
EVIL = """<!doctype html><title>own report</title><script>
fetch("/runs/RUN/run.json").then((r) => r.text()).then((t) => { document.title = "read " + t.length; },
                                                      () => { document.title = "refused"; });
</script>""".replace("RUN", OTHER)


def kept(root: Path, name: str, **more: Any) -> Path:
    folder = runs_folder(root) / name
    folder.mkdir(parents=True)
    write_all(replace(stopped(), id=name), folder)
    if more:
        (folder / "run.json").write_text(json.dumps({**run_to_dict(replace(stopped(), id=name)), **more}))
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with an honest run; `secret.txt` is not for anybody."""
    kept(tmp_path, OTHER)
    (tmp_path / "secret.txt").write_text("not for you")
    return tmp_path


@pytest.fixture
def port(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    site = tmp_path_factory.mktemp("site")
    (site / "index.html").write_text("<!doctype html><title>home</title>home")
    (site / "404.html").write_text("not here")
    with serving(Shown(site, runs_folder(workspace), lambda: "runs")) as address:
        yield int(address.rsplit(":", 1)[1].strip("/"))


def raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 20) as wire:
        wire.sendall(request)
        with contextlib.suppress(ConnectionResetError):
            return b"".join(iter(lambda: wire.recv(65536), b""))
        return b""


def get(port: int, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


@pytest.mark.parametrize(
    "host",
    ["rebound.example.org", "127.0.0.1.example.org", "localhost.example.org", "localhost@example.org", "", "[", "[::1",
     "[localhost]", "127.0.0.1]", "2130706433", "127.1", "localhost%00.example.org", "localhost.", "\u0000", "::1"],
)  # fmt: skip
def test_a_name_that_is_not_this_machines_is_refused(port: int, host: str, capfd: pytest.CaptureFixture[str]) -> None:
    """DNS rebinding: a page elsewhere gives this address a name of its own, to read what is here."""
    answer = raw(port, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1"))
    assert re.match(rb"HTTP/1\.1 (?:403|400) ", answer), answer[:100]
    assert b"home" not in answer
    assert capfd.readouterr().err == ""


def test_a_request_without_a_name_or_with_two_is_refused(port: int) -> None:
    assert raw(port, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 403")
    two = b"GET / HTTP/1.1\r\nHost: evil.example.org\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert raw(port, two).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    "request_",
    [b"\x16\x03\x01\x02\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 5000 + b"\r\n", b"GET /" + b"a" * 70_000 + b"\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\nConnection: close\r\n\r\n", b"\0" * 5000 + b"\n"],
)  # fmt: skip
def test_what_is_no_request_gives_no_traceback(port: int, request_: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(TimeoutError):
        raw(port, request_ + b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert get(port, "/")[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_body_is_never_read_as_the_next_request(port: int) -> None:
    inner = b"GET /runs.html HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for header in (b"Content-Length: %d" % len(inner), b"Transfer-Encoding: chunked"):
        answer = raw(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n" + inner)
        assert answer.count(b"HTTP/1.1") == 1, header


def test_many_slow_clients_keep_nobody_out(port: int) -> None:
    """Each began a request and ends it never; they were given a thread each, without end."""
    slow = []
    try:
        for _ in range(200):
            wire = socket.create_connection(("127.0.0.1", port), 20)
            wire.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
            slow.append(wire)
        assert get(port, "/")[2].endswith(b"home")
        answering = [one for one in threading.enumerate() if "process_request_thread" in one.name]
        assert len(answering) <= 100
    finally:
        for wire in slow:
            wire.close()
    assert get(port, "/")[0] == 200


def test_a_report_of_a_stranger_has_an_origin_of_its_own(port: int, workspace: Path) -> None:
    """`report.html` and `junit.xml` can hold scripts of whoever made the repository: they must not read other runs."""
    folder = kept(workspace, RUN)
    (folder / "report.html").write_text(EVIL)
    (folder / "junit.xml").write_text('<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>')
    for name in ("report.html", "junit.xml", "run.json", "report.md"):
        status, headers, _ = get(port, f"/runs/{RUN}/{name}")
        policy = headers["Content-Security-Policy"]
        assert status == 200
        assert policy.startswith("sandbox ")
        assert "allow-same-origin" not in policy
        assert "allow-top-navigation" not in policy
        assert "default-src 'none'" in policy
    assert get(port, "/")[1]["Content-Security-Policy"].startswith("default-src 'self'")


def test_in_a_browser_it_reads_nothing_and_an_honest_report_works(port: int, workspace: Path, tmp_path: Path) -> None:
    chromium = pytest.importorskip("chromium")
    if not chromium.FOUND:
        pytest.skip("no Chromium here")
    folder = kept(workspace, RUN)
    (folder / "report.html").write_text(EVIL)
    browser = chromium.Browser(tmp_path / "profile")
    try:
        browser.go(f"http://127.0.0.1:{port}/runs/{RUN}/report.html")
        assert browser.until("document.title !== 'own report' && document.title") == "refused"
        assert browser.run("self.origin") == "null"
        browser.errors.clear()
        browser.go(f"http://127.0.0.1:{port}/runs/{OTHER}/report.html")
        assert "NOT SHIPWORTHY" in browser.run("document.body.innerText")
        assert browser.errors == []
    finally:
        browser.close()


def test_links_pipes_and_devices_in_a_run_are_not_read(port: int, workspace: Path) -> None:
    folder = kept(workspace, RUN)
    for name, make in {
        "report.html": lambda path: path.symlink_to(workspace / "secret.txt"),
        "report.md": lambda path: os.mkfifo(path),
        "run.json": lambda path: path.symlink_to("/dev/zero"),
        "report.sarif": lambda path: path.symlink_to("/etc/passwd"),
        "junit.xml": lambda path: path.mkdir(),
    }.items():
        (folder / name).unlink(missing_ok=True)
        make(folder / name)  # type: ignore[no-untyped-call]
        status, _, body = get(port, f"/runs/{RUN}/{name}")
        assert status == 404, name
        assert b"not for you" not in body
    outside = workspace / "elsewhere"
    outside.mkdir()
    (outside / "run.json").write_text("not for you")
    (runs_folder(workspace) / "20260102T030407Z-0a1b2c").symlink_to(outside)
    assert get(port, "/runs/20260102T030407Z-0a1b2c/run.json")[0] == 404


def test_runs_that_a_repository_brought_do_not_hang_or_fill_the_reader(workspace: Path) -> None:
    """A link to /dev/zero as run.json is read for ever, a pipe is waited for for ever; git keeps such links."""
    for number, make in enumerate((
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: os.mkfifo(path),
        lambda path: path.symlink_to(workspace / "nothing"),
        lambda path: path.symlink_to(path),
        lambda path: path.mkdir(),
        lambda path: path.write_text("[" * 200_000),
        lambda path: path.write_text('{"schema": ' + "9" * 5000 + "}"),
        lambda path: path.write_bytes(b"\xff\xfe\0"),
    )):  # fmt: skip
        folder = runs_folder(workspace) / f"20270101T00000{number}Z-0a1b2c"
        folder.mkdir()
        make(folder / "run.json")  # type: ignore[no-untyped-call]
    done = subprocess.run(
        [sys.executable, "-m", "shipworthy", "explain", "model-code-execution"],
        cwd=workspace, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert [run.id for run in newest_runs(workspace)] == [OTHER]


def test_the_list_of_runs_shows_hostile_records_as_text(workspace: Path, tmp_path: Path) -> None:
    bad = "</td><script>alert(1)</script>\u202e\x1b[2J"
    (workspace / "evil").mkdir()
    (workspace / "evil" / "run.json").write_text("{}")
    kept(workspace, RUN, pipeline=bad, project=bad, commit=bad)
    kept(workspace, "20260102T030409Z-0a1b2c", id="../../evil")
    kept(workspace, "20260102T030410Z-0a1b2c", id="/root")
    kept(workspace, "20260102T030411Z-0a1b2c", id=bad)
    text = listing(load_hub(), Given((), (), "1"), workspace)
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "evil" not in text
    assert text.count("report.html") == 2


def test_a_stranger_s_run_steers_no_terminal(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from shipworthy.cli import main

    finding = stopped().findings[0]
    kept(workspace, "20270102T030405Z-0a1b2c", id="x\x1b]0;owned\x07\u202e")
    monkeypatch.chdir(workspace)
    done = subprocess.run(
        [sys.executable, "-m", "shipworthy", "explain", finding.fingerprint[:16]],
        cwd=workspace, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "run x\\x1b]0;owned\\x07\\u202e" in done.stdout
    assert "\x1b" not in done.stdout
    assert main(["explain", "../../../etc/shadow-not-there"]) == 2
