"""`shipworthy serve`: the hub and a workspace's runs in a browser, on this machine, and nothing else."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample_runs import stopped
from shipworthy.engine.runner import runs_folder
from shipworthy.reports import write_all

RUN = "20260102T030405Z-0a1b2c"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    from dataclasses import replace

    folder = runs_folder(root) / RUN
    folder.mkdir(parents=True)
    write_all(replace(stopped(), id=RUN), folder)
    (folder / "evidence.key").write_text("not for you")
    (root / "secret.txt").write_text("not for you")
    return root


@pytest.fixture(scope="module")
def port(workspace: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "shipworthy", "serve", "-C", str(workspace)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ})
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.match(r"http://127\.0\.0\.1:(\d+)/  the hub", line):
                yield int(found[1])
                break
        else:
            pytest.fail("it did not begin")
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
        assert "Traceback" not in rest
    assert process.returncode == 0


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, dict(answer.getheaders()), text


def test_the_hub_and_the_runs_are_there(port: int) -> None:
    status, headers, home = ask(port, "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "worthy to ship?" in home
    assert 'href="runs.html"' in home
    for path in (
        "/assets/site.css",
        "/assets/search.js",
        "/item/AC-2%281%29.html",
        "/rule/model-code-execution.html?x=1",
    ):
        assert ask(port, path)[0] == 200, path
    status, _, runs = ask(port, "/runs.html")
    assert status == 200
    assert f"runs/{RUN}/report.html" in runs
    assert "NOT SHIPWORTHY" in runs
    status, headers, report = ask(port, f"/runs/{RUN}/report.html")
    assert (status, headers["X-Frame-Options"]) == (200, "DENY")
    assert "NOT SHIPWORTHY" in report
    assert json.loads(ask(port, f"/runs/{RUN}/run.json")[2])["id"] == RUN


def test_a_page_says_how_often_the_newest_run_found_it(port: int) -> None:
    known = {finding.rule.id for finding in stopped().findings}
    pages = [ask(port, f"/rule/{rule}.html") for rule in sorted(known)]
    there = [text for status, _, text in pages if status == 200]
    assert there, known
    assert all("found" in text and RUN in text for text in there)


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%2f..%2fsecret.txt", "/runs/../../secret.txt",
        f"/runs/{RUN}/evidence.key",
        f"/runs/{RUN}/../{RUN}/evidence.key", f"/runs/{RUN}/journal.jsonl", "/runs/", "/assets", "//etc/passwd",
        "/\x00",
        "/%00",
        "/assets\\site.css", "/.shipworthy-site", "/" + "a" * 5_000, "/no-such-page.html",
    ],
)  # fmt: skip
def test_nothing_else_is_given_away(port: int, path: str) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", port), 10) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin-1"))
        raw = b"".join(iter(lambda: wire.recv(65536), b""))
    assert re.match(rb"HTTP/1.[01] 4\d\d ", raw), raw[:200]
    assert b"not for you" not in raw
    assert b"root:" not in raw


def test_only_this_machine_may_ask_and_only_to_read(port: int) -> None:
    assert ask(port, "/", Host="rebound.example.org")[0] == 403
    assert ask(port, "/", "POST")[0] == 501
    status, headers, text = ask(port, "/", "HEAD")
    assert (status, text) == (200, "")
    assert int(headers["Content-Length"]) > 1000


def test_a_port_that_is_taken_and_a_folder_that_is_not_there_are_told(port: int, tmp_path: Path) -> None:
    from shipworthy.errors import EnvironmentFailure
    from shipworthy.server import Shown, serving

    with pytest.raises(EnvironmentFailure, match="cannot be opened"), serving(Shown(tmp_path, tmp_path, str), port):
        pass
    done = subprocess.run(
        [sys.executable, "-m", "shipworthy", "serve", "-C", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no such folder" in done.stderr
