"""Sources of a project that is not only Python: code that no check reads, and what a setup.py installs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipworthy.model.serial import loads, run_from_dict
from shipworthy.reports import render
from story_world import shipworthy


def scanned(folder: Path, *words: str) -> str:
    done = shipworthy("scan", str(folder), "--format", "json", *words, cwd=folder.parent)
    return done.stdout


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name in ("a.cc", "b.cpp", "c.R"):
        (folder / name).write_text("int main() { return 0; }\n")
    (folder / "good.py").write_text("print(1)\n")
    (folder / "bad.py").write_text("def (:\n")
    (folder / "README.md").write_text("# Mixed\n")
    return folder


def test_code_that_only_secrets_checks_read_is_unknown_and_counted_by_language(mixed: Path) -> None:
    record = scanned(mixed)
    outcome = {item["uri"]: item["outcome"] for item in json.loads(record)["artifacts"]}
    assert {uri for uri, word in outcome.items() if word == "clean"} == {"good.py", "README.md"}
    assert outcome["a.cc"] == outcome["c.R"] == outcome["bad.py"] == "unknown"
    run = run_from_dict(loads(record))
    for format_ in ("table", "html", "markdown", "cyclonedx"):
        text = " ".join(render(run, format_).replace("\\", "").split())
        assert "3 code files that no code check read (C++ 2, R 1)" in text, format_


def test_the_gate_does_not_stop_for_a_language_that_no_check_reads(mixed: Path) -> None:
    (mixed / "bad.py").unlink()
    record = json.loads(scanned(mixed))
    assert record["exit_code"] == 0, record["verdict"]


def test_one_setup_py_is_matched_against_the_advisories(tmp_path: Path) -> None:
    target = tmp_path / "setup.py"
    target.write_text("from setuptools import setup\nsetup(install_requires=['pyyaml==5.3'])\n")
    assert "vulnerable-dependency" in {item["rule"] for item in json.loads(scanned(target))["findings"]}
