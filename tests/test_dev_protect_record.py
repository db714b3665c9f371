"""The protect stage: what it asks through the guard, and what its record keeps of the answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from services_world import GOOD
from shipworthy.checks.services._standing import Reply, serving
from shipworthy.config import Settings
from shipworthy.config.settings import Probe
from shipworthy.records import replace
from shipworthy.stages.dev.protect import _ATTACKS, _inside, _kept, _try
from shipworthy.stages.dev.service import guarded


def test_a_secret_in_an_answer_is_not_written_into_the_record() -> None:
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    for before in ("", "x" * 490 + " "):  # also one that would be cut in the middle
        kept = _kept(f"{before}{key} and more".encode())
        assert "AKIA" not in kept
        assert "a key of AWS" in kept
    assert _kept(b'{"label": "yes"}') == '{"label": "yes"}'


def test_a_service_of_numbers_alone_is_attacked_too() -> None:
    flower = '{"sepal": 5.1, "petal": [1.4, 0.2], "grown": true}'
    assert json.loads(_inside(flower, "<script>")) == {
        "sepal": "<script>",
        "petal": ["<script>", "<script>"],
        "grown": "<script>",
    }
    assert json.loads(_inside('{"inputs": [{"text": "hello", "top": 3}]}', "<script>")) == {
        "inputs": [{"text": "<script>", "top": 3}]
    }
    for body in ("{}", "[]", "5", ""):
        assert "<script>" in _inside(body, "<script>")


def test_a_service_that_is_asked_by_its_address_is_attacked_there(tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        seen.append(target)
        return 200, GOOD, b'{"label": "no"}'

    probe = Probe(method="GET", path="/predict?lang=en")
    given = replace(Settings(), service=replace(Settings().service, probe=probe))
    with serving(answer) as port:
        service: Any = SimpleNamespace(url=f"http://127.0.0.1:{port}")
        job: Any = SimpleNamespace(settings=given)
        with guarded(given, tmp_path, service, "sha256:" + "0" * 64, tmp_path / "guard") as guard:
            answers = _try(job, guard.url)
    assert "/predict?lang=en" in seen
    assert answers["probe"].status == 200
    assert {name: answers[name].status for name in _ATTACKS} == dict.fromkeys(_ATTACKS, 403)
