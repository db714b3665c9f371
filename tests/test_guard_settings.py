"""`[protect]`: how the guard of `run dev` and `up` is told what it lets pass."""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shipworthy.config import Settings, load_settings
from shipworthy.errors import UsageError
from shipworthy.guard.runtime.core import Guard
from shipworthy.guard.runtime.proxy import Proxy, Upstream
from shipworthy.stages.dev.protect import _announce, _ask
from shipworthy.stages.dev.service import _drift, policy_of


def settings(folder: Path, text: str) -> Settings:
    path = folder / "shipworthy.toml"
    path.write_text(f"[protect]\n{text}\n", encoding="utf-8")
    return load_settings(path)


def test_what_is_asked_for_is_what_the_guard_does(tmp_path: Path) -> None:
    policy = policy_of(
        settings(
            tmp_path,
            'mode = "watch"\nanswers = "block"\nrate = 2.5\nburst = 7\nconcurrent = 3\nbody = 4096\ndepth = 4\n'
            "seconds = 9\nvolume = 100",
        )
    )
    limits = policy.limits
    assert (policy.mode, policy.answers, policy.volume) == ("watch", "block", 100)
    assert (limits.rate, limits.burst, limits.concurrent) == (2.5, 7, 3)
    assert (limits.body, limits.depth, limits.seconds) == (4096, 4, 9.0)


def test_without_a_word_it_blocks_with_the_usual_limits(tmp_path: Path) -> None:
    policy = policy_of(settings(tmp_path, ""))
    assert (policy.mode, policy.answers, policy.limits.body, policy.limits.rate) == ("block", "watch", 1 << 20, 0.0)


@pytest.mark.parametrize(
    "text",
    ['mode = "on"', 'answers = "deny"', "rate = -1.0", "rate = nan", "burst = 0", "concurrent = 0", "body = 0",
     "depth = 0", "seconds = 0.0", "seconds = nan", "seconds = inf", "volume = -1", 'body = "1 MB"', "bodies = 1"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings(tmp_path, text)
    assert "shipworthy.toml:2" in str(caught.value)


def test_drift_is_measured_against_a_file_of_the_workspace(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "train.txt").write_text("what is the capital of France\nhow do I cook rice\n", encoding="utf-8")
    (tmp_path / "outside.txt").write_text("a text\n", encoding="utf-8")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    assert _drift("", root) is None
    assert _drift("train.txt", root) is not None
    for given in ("missing.txt", "../outside.txt", "link.txt", str(tmp_path / "outside.txt")):
        with pytest.raises(UsageError, match=r"in the workspace"):
            _drift(given, root)


class Service(BaseHTTPRequestHandler):
    """Answers everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_the_stage_waits_for_a_rate_and_sees_that_a_body_is_too_large(tmp_path: Path) -> None:
    given = settings(tmp_path, "rate = 2.0\nburst = 1\nbody = 4096")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    async def ask() -> list[int]:
        proxy = Proxy(Guard(policy_of(given)), Upstream("127.0.0.1", server.server_address[1]))
        await proxy.start("127.0.0.1", 0)
        url = f"http://127.0.0.1:{proxy.address[1]}"
        try:
            found = [(await asyncio.to_thread(_ask, url + "/a")).status for _ in range(2)]
            await asyncio.sleep(1)
            return [*found, (await asyncio.to_thread(_announce, url, 4097)).status]
        finally:
            await proxy.close()

    try:
        assert asyncio.run(ask()) == [200, 200, 413]
    finally:
        server.shutdown()
        server.server_close()
