"""The example's service behind the guard: a real service of a real model, and clients that are honest or not."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from shipworthy.example import create
from shipworthy.guard.runtime.events import read_events

QUESTIONS = ("Which trees lose their leaves in winter?", "It's fine, isn't it; or not?", "select the best of 1 and 2")


def started(call: list[str], folder: Path, **environment: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        call, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
    if found is None:
        process.kill()
        pytest.fail(f"{line}{process.communicate()[1]}")
    return process, int(found[1])


def ask(port: int, text: object, path: str = "/predict") -> tuple[int, dict[str, Any]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", path, json.dumps({"text": text}), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    project = tmp_path_factory.mktemp("example") / "demo"
    create(project, data="generated")
    subprocess.run([sys.executable, "-B", "train.py"], cwd=project, check=True, capture_output=True)
    process, port = started([sys.executable, "-B", "app.py"], project, APP_PORT="0")
    yield port
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


def test_honest_clients_get_what_the_service_says_and_attackers_do_not(tmp_path: Path, service: int) -> None:
    call = [sys.executable, "-m", "shipworthy", "guard", "--upstream", f"http://127.0.0.1:{service}"]
    call += ["--listen", "127.0.0.1:0", "--events", "events.jsonl", "--record", "all", "--answers", "block"]
    guard, port = started(call, tmp_path)
    try:
        straight = [ask(service, text) for text in QUESTIONS]
        assert [status for status, _ in straight] == [200] * len(QUESTIONS)
        through: list[list[tuple[int, dict[str, Any]]]] = []
        clients = [
            threading.Thread(target=lambda: through.append([ask(port, text) for text in QUESTIONS])) for _ in range(8)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join(60)
        assert through == [straight] * 8
        assert ask(port, "x' or 1=1--") == (403, {"error": "the request was refused", "reason": "attack"})
        assert ask(port, "%2525252525253Cb")[1]["reason"] == "too-encoded"
        assert ask(port, "fine", "/predict?q=..%2f..%2fetc/passwd")[0] == 403
        assert ask(port, 5)[0] == 400  # the service's own answer
    finally:
        guard.send_signal(signal.SIGTERM)
        _, errors = guard.communicate(timeout=20)
    assert (guard.returncode, errors) == (0, "")
    kinds = read_events(tmp_path / "events.jsonl").kinds
    assert kinds == {"started": 1, "stopped": 1, "blocked": 3, "passed": 8 * len(QUESTIONS) + 1}
