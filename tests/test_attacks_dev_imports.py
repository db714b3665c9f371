"""Attacks by reports of other tools: they hide what was found, are about another commit, or are made to fill memory."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from imported_samples import SAMPLES
from shipworthy.cli import main
from shipworthy.witnesses import UnreadableReport, read_report

RESULT: dict[str, Any] = {
    "ruleId": "shell-injection",
    "level": "error",
    "message": {"text": "a shell is started with {0}"},
    "locations": [
        {"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 1}}},
    ],
}


def log(*results: dict[str, Any], driver: str = "bandit", **more: Any) -> dict[str, Any]:
    return {
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": driver}}, "results": list(results), **more}],
    }


def read(value: dict[str, Any], tool: str = "sarif") -> list[str]:
    return [said.message for said in read_report(tool, json.dumps(value).encode()).statements]


@pytest.mark.parametrize("kind", ["inSource", "", None])
def test_a_comment_in_the_code_hides_nothing(kind: str | None) -> None:
    hidden = RESULT | {"suppressions": [{"kind": kind, "status": "accepted", "justification": "trust me"}]}
    assert len(read(log(hidden))) == 1
    triaged = RESULT | {"suppressions": [{"kind": "external", "status": "accepted"}]}
    assert read(log(triaged)) == []
    assert len(read(log(RESULT | {"suppressions": [triaged["suppressions"][0], hidden["suppressions"][0]]}))) == 1


def test_a_log_of_two_tools_is_not_the_report_of_one() -> None:
    both = log(RESULT)
    both["runs"] += log(driver="another")["runs"]
    with pytest.raises(UnreadableReport, match="written by"):
        read(both, "bandit")
    assert len(read(both)) == 1
    assert len(read(log(RESULT), "bandit")) == 1


def test_arguments_are_put_in_once_and_bounded() -> None:
    """Each of them names the next, thousands of times over."""
    bomb = {"text": "{0}" * 200_000, "arguments": [f"{{{n}}}" * 60 for n in range(1, 10)]}
    (message,) = read(log(RESULT | {"message": bomb}))
    assert len(message) < 1000
    assert "{1}" in message, "what an argument says is no place for another one"
    (message,) = read(log(RESULT | {"message": {"text": "{0} of {5}", "arguments": ["one"]}}))
    assert message == "one of {5}"
    for odd in ({"a": 1}, 5, "abc", None, [[]]):
        assert len(read(log(RESULT | {"message": {"text": "x", "arguments": odd}}))) == 1


@pytest.mark.parametrize("item", [b"{}", b"[]", b'{"a":[]}'])
def test_a_small_report_of_very_many_objects_is_refused_before_it_is_parsed(item: bytes) -> None:
    raw = b"[" + b",".join([item] * 4_000_001) + b"]"
    for tool in ("sarif", "semgrep", "trivy"):
        with pytest.raises(UnreadableReport, match="more than 4,000,000"):
            read_report(tool, raw)


@pytest.mark.parametrize("tool", sorted(SAMPLES))
@pytest.mark.parametrize(
    "raw",
    [
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]><a></a>',
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b"<a>" * 100_000,
        b"[" * 3_000_000,
        b'{"a":' * 100_000,
        b'{"version": ' + b"9" * 100_000 + b"}",
    ],
    ids=["file", "parameter", "utf-7", "deep-xml", "deep-json", "deep-objects", "long-number"],
)
def test_what_is_made_to_harm_its_reader_is_refused(tool: str, raw: bytes) -> None:
    with pytest.raises(UnreadableReport):
        read_report(tool, raw)


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_a_report_about_another_commit_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Last year's clean report, shown again for what is here now."""
    (tmp_path / "a.py").write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-qm", "one")
    here = git(tmp_path, "rev-parse", "HEAD").strip()
    monkeypatch.chdir(tmp_path)

    def imported(commit: str) -> tuple[int, dict[str, Any]]:
        clean = log(versionControlProvenance=[{"repositoryUri": "https://example.org/r", "revisionId": commit}])
        (tmp_path / "r.sarif").write_text(json.dumps(clean))
        code = main(["import", "sarif", "r.sarif", "--format", "json", "--quiet"])
        run = json.loads(capfd.readouterr().out)
        (found,) = [check for check in run["stages"][0]["checks"] if check["check"] == "import:sarif"]
        return code, found

    code, found = imported("b" * 40)
    assert code == 3
    assert (found["outcome"], found["skipped"][0]["code"]) == ("partial", "other-commit")
    assert here in found["skipped"][0]["reason"]
    assert imported(here)[1]["outcome"] == "ran"
